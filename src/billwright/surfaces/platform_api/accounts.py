"""How does a platform keep its paying customers?"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from billwright.features.accounts.errors import (
    account_not_closable,
    account_unknown,
    account_version_stale,
    billing_day_mismatch,
    external_id_taken,
    test_clock_reference_unknown,
)
from billwright.features.accounts.model import AccountStatus
from billwright.features.accounts.operations import change_account_status as reopening
from billwright.features.accounts.operations import create_account as creating
from billwright.features.accounts.operations import unpark_account as unparking
from billwright.features.accounts.operations import update_account as updating
from billwright.features.accounts.sql.reads import AccountFilter, account_by_id
from billwright.features.accounts.sql.reads import list_accounts as read_accounts
from billwright.features.payments.operations import close_account as closing
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.accounts_models import (
    Account,
    AccountInput,
    AccountUpdateInput,
    CloseInput,
    changes_from,
    from_request,
    to_response,
)
from billwright.surfaces.platform_api.caller import Reader, Writer
from billwright.surfaces.platform_api.list_filters import (
    CreatedAfter,
    CreatedBefore,
    ExternalId,
)
from billwright.surfaces.platform_api.versions import ETAG, IfMatch, etag, version_of, with_etag
from billwright.surfaces.web.idempotency import Idempotent, once
from billwright.surfaces.web.metadata_filter import METADATA_PARAMETER, MetadataFilter
from billwright.surfaces.web.pages import Listing, Page, PageParameters

router = APIRouter(prefix="/accounts", tags=["accounts"])

_LISTING = Listing("accounts", tuple[UUID])
_AS_IT_IS = CloseInput()


@router.post(
    "",
    status_code=201,
    response_model=Account,
    summary="Create an account",
    responses={
        201: ETAG,
        **refusals.of_writing(
            test_clock_reference_unknown, billing_day_mismatch, external_id_taken
        ),
    },
)
async def create_account(writer: Writer, body: AccountInput, idempotent: Idempotent) -> Response:
    """Accounts with an `external_id` are found again by it: `GET /accounts?external_id=...`."""

    async def create(tx: Tx) -> Account:
        return to_response(await creating.create_account(tx, from_request(body)))

    return with_etag(await once(writer.tx(), idempotent, work=create))


@router.get(
    "",
    summary="List accounts",
    responses=refusals.of_listing(),
    openapi_extra=METADATA_PARAMETER,
)
async def list_accounts(
    reader: Reader,
    page: PageParameters,
    metadata: MetadataFilter,
    external_id: ExternalId = None,
    email: Annotated[
        str | None,
        Query(max_length=254, description="The account's own address, as it is written."),
    ] = None,
    status: AccountStatus | None = None,
    parked: Annotated[
        bool | None, Query(description="Whether billing has left the account to a person.")
    ] = None,
    test_clock_id: Annotated[
        UUID | None, Query(description="Only accounts that live by this test clock.")
    ] = None,
    created_after: CreatedAfter = None,
    created_before: CreatedBefore = None,
) -> Page[Account]:
    """Newest first."""
    filters: AccountFilter = {
        "external_id": external_id,
        "email": email,
        "status": status,
        "parked": parked,
        "test_clock_id": test_clock_id,
        "created_after": created_after,
        "created_before": created_before,
        "metadata": metadata,
    }
    after = _LISTING.after(page, filters=filters)
    async with reader.tx() as tx:
        accounts = await read_accounts(
            tx, before=after[0] if after else None, limit=page.limit + 1, **filters
        )
    return _LISTING.page(
        accounts,
        page,
        filters=filters,
        key=lambda account: (account.id,),
        to_response=to_response,
    )


@router.get(
    "/{account_id}",
    summary="Get an account",
    responses={200: ETAG, **refusals.of_reading(account_unknown)},
)
async def get_account(reader: Reader, account_id: UUID, response: Response) -> Account:
    async with reader.tx() as tx:
        account = await account_by_id(tx, account_id)
    response.headers["ETag"] = etag(account.version)
    return to_response(account)


@router.patch(
    "/{account_id}",
    response_model=Account,
    summary="Update an account",
    responses={
        200: ETAG,
        **refusals.of_writing(
            account_unknown, account_version_stale, billing_day_mismatch, external_id_taken
        ),
    },
)
async def update_account(
    writer: Writer,
    account_id: UUID,
    body: AccountUpdateInput,
    idempotent: Idempotent,
    if_match: IfMatch = None,
) -> Response:
    """Subscriptions and documents that exist keep what they were made with. `billing_day` goes when
    `collection` becomes `immediate`.
    """

    async def update(tx: Tx) -> Account:
        command = updating.UpdateAccount(
            account_id=account_id,
            changes=changes_from(body),
            expected_version=version_of(if_match),
        )
        return to_response(await updating.update_account(tx, command))

    return with_etag(await once(writer.tx(), idempotent, work=update))


@router.post(
    "/{account_id}/unpark",
    response_model=Account,
    summary="Unpark an account",
    responses={200: ETAG, **refusals.of_writing(account_unknown, account_version_stale)},
)
async def unpark_account(
    writer: Writer, account_id: UUID, idempotent: Idempotent, if_match: IfMatch = None
) -> Response:
    """Let billing come again, after what kept it away was mended. What fell due meanwhile is billed
    by the next run; an account that is not parked stays as it is.
    """

    async def unpark(tx: Tx) -> Account:
        unparked = await unparking.unpark_account(
            tx, account_id, expected_version=version_of(if_match)
        )
        return to_response(unparked)

    return with_etag(await once(writer.tx(), idempotent, work=unpark))


@router.post(
    "/{account_id}/close",
    response_model=Account,
    summary="Close an account",
    responses={
        200: ETAG,
        **refusals.of_writing(account_unknown, account_version_stale, account_not_closable),
    },
)
async def close_account(
    writer: Writer,
    account_id: UUID,
    idempotent: Idempotent,
    body: CloseInput = _AS_IT_IS,
    if_match: IfMatch = None,
) -> Response:
    """It takes no new subscription, charge, invoice, credit or payment method any more. Refused while
    something of it goes on: `reasons` of the `facts` are `subscriptions_running`, `drafts_left`,
    `invoices_open`, `charges_waiting`, `payments_under_way` and `credit_left`. Its payment methods are
    removed. To close it again changes nothing.
    """

    async def close(tx: Tx) -> Account:
        command = closing.CloseAccount(
            account_id=account_id,
            reason=body.reason,
            forfeits_credit=body.forfeit_credit,
            expected_version=version_of(if_match),
        )
        return to_response(await closing.close_account(tx, command))

    return with_etag(await once(writer.tx(), idempotent, work=close))


@router.post(
    "/{account_id}/reopen",
    response_model=Account,
    summary="Reopen an account",
    responses={200: ETAG, **refusals.of_writing(account_unknown, account_version_stale)},
)
async def reopen_account(
    writer: Writer, account_id: UUID, idempotent: Idempotent, if_match: IfMatch = None
) -> Response:
    """What was given up when it was closed does not come back. One that is not closed stays as it is."""

    async def reopen(tx: Tx) -> Account:
        reopened = await reopening.reopen_account(
            tx, account_id, expected_version=version_of(if_match)
        )
        return to_response(reopened)

    return with_etag(await once(writer.tx(), idempotent, work=reopen))
