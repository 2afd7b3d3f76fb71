"""What is known of a tenant and of the seller behind it?"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from billwright.kernel.ids import TenantId
from billwright.kernel.money import Rounding
from billwright.kernel.proration import Granularity


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A seller's platform; `code` is how operators and `X-Tenant` name it."""

    id: TenantId
    code: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A postal address; `country` is an ISO 3166-1 alpha-2 code in capitals."""

    line1: str = ""
    line2: str = ""
    postal_code: str = ""
    city: str = ""
    region: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SellerParty:
    """The seller as documents name it; what a country's law asks for that has no field goes into
    `legal_note`, such as the managing directors or the share capital.
    """

    name: str
    address: Address
    tax_id: str = ""
    tax_number: str = ""
    email: str = ""
    phone: str = ""
    website: str = ""
    bank_name: str = ""
    iban: str = ""
    bic: str = ""
    register: str = ""
    legal_note: str = ""


class RepeatedTrials(StrEnum):
    """What becomes of a trial that runs when its account leaves a payment method with which another
    account has had one of that plan.
    """

    REPORT = "report"
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seller:
    """The legal entity that issues a tenant's documents, with the tenant's defaults.

    `tax_rates` maps a tax category to a domestic rate as a share (0.19 is 19 %), where the country's
    own rates do not fit or are not known. `small_business_exempt`: no tax is charged at home.
    `oss_registered_since` is the first day of the One Stop Shop, none for a seller without it.
    `tax_engine` names the rules by which its documents are taxed.

    `proration_granularity` is what shares of periods are counted in, `rounding` what happens to a
    fraction of a minor unit in a line. `minimum_invoice` is, by currency and in minor units, the sum
    below which charges are held back until more is owed. `repeated_trials` says what becomes of a trial
    that another account turns out to have had with the same payment method.
    """

    id: UUID
    party: SellerParty
    currency: str = "EUR"
    locale: str = "en"
    zone: str = "UTC"
    payment_terms_days: int = 14
    fiscal_year_start_month: int = 1
    tax_rates: dict[str, Decimal] = field(default_factory=dict)
    small_business_exempt: bool = False
    oss_registered_since: date | None = None
    tax_engine: str = "vat"
    proration_granularity: Granularity = Granularity.SECOND
    rounding: Rounding = Rounding.HALF_UP
    minimum_invoice: dict[str, int] = field(default_factory=dict)
    repeated_trials: RepeatedTrials = RepeatedTrials.REPORT
