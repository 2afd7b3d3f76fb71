"""What does an account look like in requests and answers?"""

from __future__ import annotations

from typing import Annotated, cast
from uuid import UUID

from pydantic import ConfigDict, Field

from billwright.features.accounts import model
from billwright.features.accounts.operations.create_account import CreateAccount
from billwright.features.accounts.operations.update_account import AccountChanges
from billwright.features.tenancy.model import Address as PostalAddress
from billwright.surfaces.platform_api.fields import Country, Email, KnownCurrency, Locale, Zone
from billwright.surfaces.web.wire import (
    Choice,
    CurrencyCode,
    Identifier,
    Instant,
    Metadata,
    Prose,
    RequestModel,
    ResponseModel,
    Text,
)

_Name = Annotated[Text, Field(description="The name that documents are made out to.")]
_Email = Annotated[Email | None, Field(description="Where invoices and notices go.")]
_ExternalId = Annotated[
    Text | None, Field(description="The platform's own id; no two accounts share one.")
]
_TaxId = Annotated[Text | None, Field(description="For example a VAT id.")]
_Reference = Annotated[
    Text | None, Field(description="What the customer wants to read on its invoices.")
]
_PaymentTerms = Annotated[
    int | None, Field(ge=0, le=365, description="Days from an invoice's date to its due date.")
]
_Collection = Annotated[
    Choice[model.Collection],
    Field(
        description="When what is owed comes on an invoice: at once, or collected until the billing "
        "day of a month begins."
    ),
]
_BillingDay = Annotated[
    int | None,
    Field(
        ge=1,
        le=31,
        description="Belongs to the collection policy `billing_day`; the last day of a shorter month.",
    ),
]


class AddressInput(RequestModel):
    """A postal address."""

    line1: Text | None = None
    line2: Text | None = None
    postal_code: Text | None = None
    city: Text | None = None
    region: Text | None = None
    country: Country | None = None


class AccountInput(RequestModel):
    """A paying customer; currency, locale, zone and terms that are left out are the seller's."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Riverbank Books",
                    "email": "billing@riverbank.example",
                    "external_id": "customer-17",
                    "address": {
                        "line1": "Main Street 1",
                        "postal_code": "10115",
                        "city": "Berlin",
                        "country": "DE",
                    },
                }
            ]
        }
    )

    name: _Name
    email: _Email = None
    external_id: _ExternalId = None
    customer_type: Choice[model.CustomerType] = model.CustomerType.BUSINESS
    tax_id: _TaxId = None
    reference: _Reference = None
    address: AddressInput = AddressInput()
    currency: KnownCurrency | None = None
    locale: Locale | None = None
    zone: Annotated[
        Zone | None, Field(description="The time zone in which billing periods begin and end.")
    ] = None
    payment_terms_days: _PaymentTerms = None
    collection: _Collection = model.Collection.IMMEDIATE
    billing_day: _BillingDay = None
    test_clock_id: Annotated[
        Identifier | None,
        Field(description="The test clock that the account lives by, from its beginning on."),
    ] = None
    metadata: Metadata = Field(default_factory=dict)


class AccountUpdateInput(RequestModel):
    """What is to change; what is left out stays. Address and metadata are replaced as a whole."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"email": "books@riverbank.example", "tax_id": "ATU12345675"},
                {"collection": "billing_day", "billing_day": 1},
                {"collection": "immediate"},
            ]
        }
    )

    # The defaults of members that cannot be null are never read: only what was sent is.
    name: _Name = Field(default_factory=str)
    email: _Email = None
    external_id: _ExternalId = None
    customer_type: Choice[model.CustomerType] = Field(
        default_factory=lambda: model.CustomerType.BUSINESS
    )
    tax_id: _TaxId = None
    reference: _Reference = None
    address: AddressInput = Field(default_factory=AddressInput)
    currency: Annotated[
        KnownCurrency, Field(description="Of subscriptions to come; those that exist keep theirs.")
    ] = Field(default_factory=str)
    locale: Locale = Field(default_factory=str)
    zone: Annotated[
        Zone, Field(description="Periods that have begun end where they were to end before.")
    ] = Field(default_factory=str)
    payment_terms_days: _PaymentTerms = None
    collection: _Collection = Field(default_factory=lambda: model.Collection.IMMEDIATE)
    billing_day: _BillingDay = None
    metadata: Metadata = Field(default_factory=dict)


class CloseInput(RequestModel):
    """What is to be done with what the account still has."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "Moved away", "forfeit_credit": True}]}
    )

    reason: Annotated[Prose, Field(description="Why; for the books.")] = ""
    forfeit_credit: Annotated[
        bool,
        Field(
            description="Whether the account gives up its credit; else it is not closed with any."
        ),
    ] = False


class Address(ResponseModel):
    """A postal address; what is not known is empty."""

    line1: str
    line2: str
    postal_code: str
    city: str
    region: str
    country: Annotated[str, Field(description="ISO 3166-1 alpha-2.")]


class Account(ResponseModel):
    """A paying customer."""

    id: UUID
    number: Annotated[int, Field(description="The customer number on documents.")]
    external_id: str | None
    status: model.AccountStatus
    name: str
    email: str | None
    customer_type: model.CustomerType
    tax_id: str | None
    reference: str | None
    address: Address
    currency: CurrencyCode
    locale: str
    zone: str
    payment_terms_days: Annotated[int | None, Field(description="Null: the seller's terms.")]
    collection: model.Collection
    billing_day: Annotated[int | None, Field(description="Null: it is invoiced at once.")]
    next_invoice_at: Annotated[
        Instant | None,
        Field(description="When the billing day begins next, in the account's zone."),
    ]
    has_payment_method: Annotated[
        bool, Field(description="Whether money can be collected without asking the customer.")
    ]
    parked_reason: Annotated[
        str | None,
        Field(description="Why billing has left the account to a person; normally null."),
    ]
    test_clock_id: UUID | None
    metadata: dict[str, str]
    version: Annotated[
        int, Field(description="Grows with every change; also the `ETag`, for `If-Match`.")
    ]
    created_at: Instant
    updated_at: Instant


def from_request(body: AccountInput) -> CreateAccount:
    return CreateAccount(
        name=body.name,
        email=body.email,
        external_id=body.external_id,
        customer_type=body.customer_type,
        tax_id=body.tax_id,
        reference=body.reference,
        address=_postal(body.address),
        currency=body.currency,
        locale=body.locale,
        zone=body.zone,
        payment_terms_days=body.payment_terms_days,
        collection=body.collection,
        billing_day=body.billing_day,
        test_clock_id=body.test_clock_id,
        metadata=body.metadata,
    )


def changes_from(body: AccountUpdateInput) -> AccountChanges:
    """What was sent, and nothing of what was left out."""
    changes = {name: getattr(body, name) for name in body.model_fields_set}
    if "address" in changes:
        changes["address"] = _postal(body.address)
    return cast("AccountChanges", changes)


def _postal(address: AddressInput) -> PostalAddress:
    return PostalAddress(**address.model_dump(exclude_none=True))


def to_response(account: model.Account) -> Account:
    address = account.address
    return Account(
        id=account.id,
        number=account.number,
        external_id=account.external_id,
        status=account.status,
        name=account.name,
        email=account.email,
        customer_type=account.customer_type,
        tax_id=account.tax_id,
        reference=account.reference,
        address=Address(
            line1=address.line1,
            line2=address.line2,
            postal_code=address.postal_code,
            city=address.city,
            region=address.region,
            country=address.country,
        ),
        currency=account.currency,
        locale=account.locale,
        zone=account.zone,
        payment_terms_days=account.payment_terms_days,
        collection=account.collection,
        billing_day=account.billing_day,
        next_invoice_at=account.next_invoice_at,
        has_payment_method=account.has_payment_method,
        parked_reason=account.parked_reason,
        test_clock_id=account.test_clock_id,
        metadata=account.metadata,
        version=account.version,
        created_at=account.created_at,
        updated_at=account.updated_at,
    )
