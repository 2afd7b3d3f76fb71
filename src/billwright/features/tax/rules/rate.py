"""Which rate does a line have?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from billwright.features.tax.model import CategoryCode, TaxDecision, Treatment, TreatmentKind
from billwright.features.tax.rules.engines import TAX_ENGINES, engine_of
from billwright.features.tax.rules.territory import tax_territory
from billwright.features.tenancy.model import Seller
from billwright.kernel.refusal import Refusal

_NOTHING = Decimal(0)


def line_rate(
    category: str, *, tax: TaxDecision, own_rates: Mapping[str, Decimal], on: date
) -> Decimal:
    """The share that a line is taxed with on a day, by the engine that decided the treatment; zero
    when that charges no tax. An inclusive price is then what the buyer pays, all of it net: what was
    agreed is the amount, and only who owes the tax on it is another.

    `own_rates` are the seller's. Refuses: `tax_rate_unknown`.
    """
    if not tax.treatment.charges_tax:
        return _NOTHING
    engine = TAX_ENGINES[tax.engine]
    return engine.rate(category, treatment=tax.treatment, own_rates=own_rates, on=on)


def has_home_rate(category: str, *, seller: Seller, on: date) -> bool:
    """Whether the seller's engine has a rate for the category where the seller is."""
    home = Treatment(
        TreatmentKind.DOMESTIC, tax_territory(seller.party.address), CategoryCode.STANDARD
    )
    engine = engine_of(seller.tax_engine)
    try:
        engine.rate(category, treatment=home, own_rates=seller.tax_rates, on=on)
    except Refusal:
        return False
    return True
