"""How does a platform keep its paying customers?"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field
from starlette.responses import Response

from billwright.features.accounts import model
from billwright.features.accounts.errors import (
    account_unknown,
    external_id_taken,
    test_clock_reference_unknown,
)
from billwright.features.accounts.operations import create_account as operation
from billwright.features.accounts.sql.reads import account_by_id
from billwright.features.accounts.sql.reads import list_accounts as read_accounts
from billwright.features.tenancy.model import Address as PostalAddress
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Reader, Writer
from billwright.surfaces.platform_api.fields import Country, Email, KnownCurrency, Locale, Zone
from billwright.surfaces.web.idempotency import Idempotent, once
from billwright.surfaces.web.pages import Listing, Page, PageParameters
from billwright.surfaces.web.wire import (
    Choice,
    CurrencyCode,
    Identifier,
    Instant,
    Metadata,
    RequestModel,
    ResponseModel,
    Text,
)

router = APIRouter(prefix="/accounts", tags=["accounts"])

_LISTING = Listing("accounts", tuple[UUID])


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

    name: Annotated[Text, Field(description="The name that documents are made out to.")]
    email: Annotated[Email | None, Field(description="Where invoices and notices go.")] = None
    external_id: Annotated[
        Text | None, Field(description="The platform's own id; no two accounts share one.")
    ] = None
    customer_type: Choice[model.CustomerType] = model.CustomerType.BUSINESS
    tax_id: Annotated[Text | None, Field(description="For example a VAT id.")] = None
    reference: Annotated[
        Text | None, Field(description="What the customer wants to read on its invoices.")
    ] = None
    address: AddressInput = AddressInput()
    currency: KnownCurrency | None = None
    locale: Locale | None = None
    zone: Annotated[
        Zone | None, Field(description="The time zone in which billing periods begin and end.")
    ] = None
    payment_terms_days: Annotated[
        int | None, Field(ge=0, le=365, description="Days from an invoice's date to its due date.")
    ] = None
    test_clock_id: Annotated[
        Identifier | None,
        Field(description="The test clock that the account lives by, from its beginning on."),
    ] = None
    metadata: Metadata = Field(default_factory=dict)


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
    parked_reason: Annotated[
        str | None,
        Field(description="Why billing has left the account to a person; normally null."),
    ]
    test_clock_id: UUID | None
    metadata: dict[str, str]
    version: int
    created_at: Instant
    updated_at: Instant


def from_request(body: AccountInput) -> operation.CreateAccount:
    return operation.CreateAccount(
        name=body.name,
        email=body.email,
        external_id=body.external_id,
        customer_type=body.customer_type,
        tax_id=body.tax_id,
        reference=body.reference,
        address=PostalAddress(**body.address.model_dump(exclude_none=True)),
        currency=body.currency,
        locale=body.locale,
        zone=body.zone,
        payment_terms_days=body.payment_terms_days,
        test_clock_id=body.test_clock_id,
        metadata=body.metadata,
    )


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
        parked_reason=account.parked_reason,
        test_clock_id=account.test_clock_id,
        metadata=account.metadata,
        version=account.version,
        created_at=account.created_at,
        updated_at=account.updated_at,
    )


@router.post(
    "",
    status_code=201,
    response_model=Account,
    summary="Create an account",
    responses=refusals.of_writing(test_clock_reference_unknown, external_id_taken),
)
async def create_account(writer: Writer, body: AccountInput, idempotent: Idempotent) -> Response:
    """Accounts with an `external_id` are found again by it: `GET /accounts?external_id=...`."""

    async def create(tx: Tx) -> Account:
        return to_response(await operation.create_account(tx, from_request(body)))

    return await once(writer.tx(), idempotent, work=create)


@router.get("", summary="List accounts", responses=refusals.of_listing())
async def list_accounts(
    reader: Reader,
    page: PageParameters,
    external_id: Annotated[str | None, Query(max_length=255)] = None,
    email: Annotated[str | None, Query(max_length=254)] = None,
) -> Page[Account]:
    """Newest first."""
    filters = {"external_id": external_id, "email": email}
    after = _LISTING.after(page, filters=filters)
    async with reader.tx() as tx:
        accounts = await read_accounts(
            tx,
            before=after[0] if after else None,
            limit=page.limit + 1,
            external_id=external_id,
            email=email,
        )
    return _LISTING.page(
        accounts,
        page,
        filters=filters,
        key=lambda account: (account.id,),
        to_response=to_response,
    )


@router.get(
    "/{account_id}", summary="Get an account", responses=refusals.of_reading(account_unknown)
)
async def get_account(reader: Reader, account_id: UUID) -> Account:
    async with reader.tx() as tx:
        return to_response(await account_by_id(tx, account_id))
