"""What is known of a supply's tax?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from billwright.kernel.quick import quickly_made


class TreatmentKind(StrEnum):
    """Which rule of value added tax a supply falls under."""

    DOMESTIC = "domestic"
    EU_B2C_OSS = "eu_b2c_oss"
    EU_B2C_DOMESTIC = "eu_b2c_domestic"
    EU_REVERSE_CHARGE = "eu_reverse_charge"
    SMALL_BUSINESS_EXEMPT = "small_business_exempt"
    EXPORT = "export"
    OUTSIDE_SCOPE = "outside_scope"


class CategoryCode(StrEnum):
    """The VAT category of EN 16931 (UNTDID 5305)."""

    STANDARD = "S"
    ZERO = "Z"
    EXEMPT = "E"
    REVERSE_CHARGE = "AE"
    EXPORT = "G"
    OUTSIDE_SCOPE = "O"


class LegalNote(StrEnum):
    """Why a document carries no tax, or another country's; the text is `rules.legal_note`'s."""

    REVERSE_CHARGE = "reverse_charge"
    ONE_STOP_SHOP = "one_stop_shop"
    EXPORT = "export"
    OUTSIDE_SCOPE = "outside_scope"
    SMALL_BUSINESS = "small_business"
    SMALL_BUSINESS_AT = "small_business_at"
    SMALL_BUSINESS_DE = "small_business_de"
    SMALL_BUSINESS_EU = "small_business_eu"
    SMALL_BUSINESS_FR = "small_business_fr"


@dataclass(frozen=True, slots=True)
class Treatment:
    """How a supply is taxed; `country` is the territory whose law says so, and whose rates hold when
    tax is charged. `code` is the one of taxed lines: a rate of zero among them is category Z.
    """

    kind: TreatmentKind
    country: str
    code: CategoryCode
    note: LegalNote | None = None

    @property
    def charges_tax(self) -> bool:
        return self.code is CategoryCode.STANDARD


class VatIdStatus(StrEnum):
    """What a register says of a VAT id: nothing was asked yet, an answer, or no answer so far."""

    UNCHECKED = "unchecked"
    VALID = "valid"
    INVALID = "invalid"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class VatId:
    """A well-formed VAT id: its country (ISO 3166, so GR; XI for Northern Ireland), and the number as
    it is written on documents, with its prefix (so EL).
    """

    country: str
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VatIdCheck:
    """What is stored of an account's VAT id.

    `tax_id` is what the account gave, `vat_id` its normal form, none where it has no VAT id's form.
    `checked_at` is the last time that `source` answered; `attempts` counts the questions since then.
    """

    account_id: UUID
    tax_id: str
    vat_id: str | None
    status: VatIdStatus
    source: str | None = None
    checked_at: datetime | None = None
    attempts: int = 0
    next_check_at: datetime | None = None


@quickly_made
@dataclass(frozen=True, slots=True)
class TaxDecision:
    """How an account is taxed, what was known of its VAT id then (none when it gave no tax id), and
    the name of the engine that decided, which has the rates as well.
    """

    treatment: Treatment
    vat_id_status: VatIdStatus | None
    engine: str
