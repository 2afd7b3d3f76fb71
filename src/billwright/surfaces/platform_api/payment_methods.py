"""How does a platform let its customers leave a method to pay with?"""

from __future__ import annotations

from typing import Annotated, TypeAlias
from uuid import UUID

from fastapi import APIRouter
from pydantic import ConfigDict, Field, StringConstraints
from starlette.responses import Response

from billwright.features.accounts.errors import account_closed, account_unknown
from billwright.features.accounts.sql.reads import account_by_id
from billwright.features.payment_methods import model
from billwright.features.payment_methods.errors import (
    payment_method_removed,
    payment_method_setup_unknown,
    payment_method_unknown,
)
from billwright.features.payment_methods.operations import make_default as choosing
from billwright.features.payment_methods.operations import remove_method as removing
from billwright.features.payment_methods.operations.start_setup import (
    SetupPage,
    StartSetup,
    open_setup_page,
    start_setup,
)
from billwright.features.payment_methods.sql.reads import list_methods, method_by_id
from billwright.features.payment_methods.sql.reads_setups import setup_by_id
from billwright.features.payment_providers.errors import (
    checkout_refused,
    provider_incapable,
    provider_missing,
    provider_not_named,
    provider_silent,
    provider_unknown,
    redirect_url_invalid,
)
from billwright.features.payment_providers.model import MethodKind
from billwright.features.payment_providers.rules.redirect_url import LONGEST_URL
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Reader, Writer
from billwright.surfaces.platform_api.fields import KnownCurrency
from billwright.surfaces.web.idempotency import Idempotent, as_it_stands, once
from billwright.surfaces.web.pages import Listing, Page, PageParameters
from billwright.surfaces.web.wire import (
    CalendarDate,
    Code,
    Instant,
    RequestModel,
    ResponseModel,
)

router = APIRouter(tags=["payments"])

_LISTING = Listing("payment_methods", tuple[UUID])

RedirectUrl: TypeAlias = Annotated[
    str,
    StringConstraints(min_length=1, max_length=LONGEST_URL),
    Field(description="Begins with https://; http:// leads to localhost only."),
]


class PaymentMethodSetupInput(RequestModel):
    """Where a payer goes once they have left a method, and where they go if they do not want to."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "success_url": "https://app.example/billing?saved=yes",
                    "cancel_url": "https://app.example/billing",
                }
            ]
        }
    )

    success_url: RedirectUrl
    cancel_url: RedirectUrl
    provider: Annotated[
        Code | None, Field(description="Who keeps the method; may be left out if only one can.")
    ] = None
    currency: Annotated[
        KnownCurrency | None,
        Field(description="Of the payments that it is for; the account's if left out."),
    ] = None


class PaymentMethodSetup(ResponseModel):
    """A page of a provider on which a payer leaves a method."""

    id: UUID
    account_id: UUID
    provider: str
    state: Annotated[
        model.SetupState,
        Field(description="`completed` once the provider has told what was left."),
    ]
    expires_at: Annotated[Instant | None, Field(description="When the page closes.")]
    payment_method_id: Annotated[UUID | None, Field(description="What was left.")]
    created_at: Instant
    updated_at: Instant


class PaymentMethodSetupPage(PaymentMethodSetup):
    """A setup with the address of its page."""

    url: Annotated[
        str | None,
        Field(
            description="Where to send the payer, and nobody else; null once the setup has ended."
        ),
    ]


class SavedPaymentMethod(ResponseModel):
    """A way to pay that an account has left with a provider, who keeps its numbers to itself."""

    id: UUID
    account_id: UUID
    provider: str
    kind: MethodKind
    label: Annotated[str, Field(description="For people.", examples=["Visa •••• 4242"])]
    status: model.MethodStatus
    is_default: Annotated[bool, Field(description="Invoices are collected with it.")]
    is_chargeable: Annotated[
        bool, Field(description="False once the provider has declined it for good.")
    ]
    expires_on: Annotated[
        CalendarDate | None,
        Field(
            description="The last day on which it is good. It is tried afterwards all the same, "
            "because banks renew most cards in silence."
        ),
    ]
    consent: Annotated[str, Field(description="Where its payer agreed, and to what.")]
    consented_at: Instant
    version: int
    created_at: Instant
    updated_at: Instant


class _Reserved(ResponseModel):
    """What a repetition needs: which setup the first request made. The address of its page is kept
    elsewhere, sealed.
    """

    id: UUID


def to_response(method: model.StoredMethod) -> SavedPaymentMethod:
    return SavedPaymentMethod(
        id=method.id,
        account_id=method.account_id,
        provider=method.provider,
        kind=method.kind,
        label=method.label,
        status=method.status,
        is_default=method.is_default,
        is_chargeable=method.is_chargeable,
        expires_on=method.expires_on,
        consent=method.consent,
        consented_at=method.consented_at,
        version=method.version,
        created_at=method.created_at,
        updated_at=method.updated_at,
    )


def to_setup(setup: model.MethodSetup) -> PaymentMethodSetup:
    return PaymentMethodSetup(
        id=setup.id,
        account_id=setup.account_id,
        provider=setup.provider,
        state=setup.state,
        expires_at=setup.expires_at,
        payment_method_id=setup.payment_method_id,
        created_at=setup.created_at,
        updated_at=setup.updated_at,
    )


def to_page(page: SetupPage) -> PaymentMethodSetupPage:
    return PaymentMethodSetupPage(**dict(to_setup(page.setup)), url=page.url)


@router.post(
    "/accounts/{account_id}/payment-methods/setup",
    status_code=201,
    response_model=PaymentMethodSetupPage,
    summary="Let an account leave a payment method",
    responses=refusals.of_writing(
        account_unknown,
        account_closed,
        provider_unknown,
        provider_incapable,
        provider_missing,
        provider_not_named,
        redirect_url_invalid,
        checkout_refused,
        provider_silent,
    ),
)
async def set_up_payment_method(
    writer: Writer, account_id: UUID, body: PaymentMethodSetupInput, idempotent: Idempotent
) -> Response:
    """Send the payer to the `url` of the answer. The method is there when the provider has told of it,
    which may be a moment after the payer has come back; it becomes the default if the account has none
    that is any good. A repetition with the same key answers the same page.
    """
    providers = writer.wiring.payment_providers
    command = StartSetup(
        account_id=account_id,
        success_url=body.success_url,
        cancel_url=body.cancel_url,
        provider=body.provider,
        currency=body.currency,
    )

    async def start(tx: Tx) -> _Reserved:
        return _Reserved(id=await start_setup(tx, command, providers=providers))

    answer = await once(writer.tx(), idempotent, work=start)
    reserved = _Reserved.model_validate_json(bytes(answer.body))
    page = await open_setup_page(
        writer.tx,
        reserved.id,
        command=command,
        providers=providers,
        box=writer.wiring.secret_box,
    )
    return as_it_stands(answer, to_page(page))


@router.get(
    "/payment-method-setups/{setup_id}",
    summary="Get a setup of a payment method",
    responses=refusals.of_reading(payment_method_setup_unknown),
)
async def get_payment_method_setup(reader: Reader, setup_id: UUID) -> PaymentMethodSetup:
    """For the page to which a payer comes back: what has become of it so far."""
    async with reader.tx() as tx:
        return to_setup(await setup_by_id(tx, setup_id))


@router.get(
    "/accounts/{account_id}/payment-methods",
    summary="List an account's payment methods",
    responses=refusals.of_listing(account_unknown),
)
async def list_payment_methods(
    reader: Reader,
    account_id: UUID,
    page: PageParameters,
    status: model.MethodStatus = model.MethodStatus.ACTIVE,
) -> Page[SavedPaymentMethod]:
    """Newest first; those that were removed only when asked for."""
    filters = {"account_id": account_id, "status": status}
    after = _LISTING.after(page, filters=filters)
    async with reader.tx() as tx:
        await account_by_id(tx, account_id)
        methods = await list_methods(
            tx,
            account_id,
            before=after[0] if after else None,
            limit=page.limit + 1,
            status=status,
        )
    return _LISTING.page(
        methods, page, filters=filters, key=lambda method: (method.id,), to_response=to_response
    )


@router.get(
    "/payment-methods/{payment_method_id}",
    summary="Get a payment method",
    responses=refusals.of_reading(payment_method_unknown),
)
async def get_payment_method(reader: Reader, payment_method_id: UUID) -> SavedPaymentMethod:
    """Removed or not."""
    async with reader.tx() as tx:
        return to_response(await method_by_id(tx, payment_method_id))


@router.post(
    "/payment-methods/{payment_method_id}/default",
    response_model=SavedPaymentMethod,
    summary="Make a payment method the default",
    responses=refusals.of_writing(payment_method_unknown, payment_method_removed),
)
async def make_payment_method_default(
    writer: Writer, payment_method_id: UUID, idempotent: Idempotent
) -> Response:
    """Invoices of its account are collected with it from now on. One that was declined for good is tried
    again: naming it says that it works.
    """

    async def choose(tx: Tx) -> SavedPaymentMethod:
        return to_response(await choosing.make_default(tx, payment_method_id))

    return await once(writer.tx(), idempotent, work=choose)


@router.delete(
    "/payment-methods/{payment_method_id}",
    response_model=SavedPaymentMethod,
    summary="Remove a payment method",
    responses=refusals.of_writing(payment_method_unknown),
)
async def remove_payment_method(
    writer: Writer, payment_method_id: UUID, idempotent: Idempotent
) -> Response:
    """It is used no more, and stays readable as `removed`; its provider is asked to forget it. Where it
    was the default the account has none until one is made the default or a new one is left: no other
    takes its place by itself.
    """

    async def remove(tx: Tx) -> SavedPaymentMethod:
        return to_response(await removing.remove_method(tx, payment_method_id))

    return await once(writer.tx(), idempotent, work=remove)
