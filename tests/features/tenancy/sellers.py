"""Which seller has no setting at its default?"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from billwright.features.tenancy.model import Address, RepeatedTrials, Seller, SellerParty
from billwright.kernel.ids import new_id
from billwright.kernel.money import Rounding
from billwright.kernel.proration import Granularity

JAPANESE = Seller(
    id=new_id(),
    party=SellerParty(
        name="Example Software KK",
        address=Address(line1="1-1 Marunouchi", city="Tokyo", country="JP"),
    ),
    currency="JPY",
    locale="ja",
    zone="Asia/Tokyo",
    payment_terms_days=30,
    fiscal_year_start_month=4,
    tax_rates={"standard": Decimal("0.10")},
    small_business_exempt=True,
    oss_registered_since=date(2026, 1, 1),
    tax_engine="fixed",
    proration_granularity=Granularity.DAY,
    rounding=Rounding.DOWN,
    minimum_invoice={"JPY": 500, "USD": 499},
    repeated_trials=RepeatedTrials.END,
)
