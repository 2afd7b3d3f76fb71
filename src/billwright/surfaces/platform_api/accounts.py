"""How does a platform keep its paying customers?"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from billwright.features.accounts.errors import (
    account_unknown,
    account_version_stale,
    billing_day_mismatch,
    external_id_taken,
    test_clock_reference_unknown,
)
from billwright.features.accounts.operations import create_account as creating
from billwright.features.accounts.operations import unpark_account as unparking
from billwright.features.accounts.operations import update_account as updating
from billwright.features.accounts.sql.reads import account_by_id
from billwright.features.accounts.sql.reads import list_accounts as read_accounts
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.accounts_models import (
    Account,
    AccountInput,
    AccountUpdateInput,
    changes_from,
    from_request,
    to_response,
)
from billwright.surfaces.platform_api.caller import Reader, Writer
from billwright.surfaces.platform_api.versions import ETAG, IfMatch, etag, version_of, with_etag
from billwright.surfaces.web.idempotency import Idempotent, once
from billwright.surfaces.web.pages import Listing, Page, PageParameters

router = APIRouter(prefix="/accounts", tags=["accounts"])

_LISTING = Listing("accounts", tuple[UUID])


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


@router.get("", summary="List accounts", responses=refusals.of_listing())
async def list_accounts(
    reader: Reader,
    page: PageParameters,
    external_id: Annotated[str | None, Query(max_length=255)] = None,
    email: Annotated[str | None, Query(max_length=254)] = None,
    parked: Annotated[
        bool | None, Query(description="Whether billing has left the account to a person.")
    ] = None,
) -> Page[Account]:
    """Newest first."""
    filters = {"external_id": external_id, "email": email, "parked": parked}
    after = _LISTING.after(page, filters=filters)
    async with reader.tx() as tx:
        accounts = await read_accounts(
            tx,
            before=after[0] if after else None,
            limit=page.limit + 1,
            external_id=external_id,
            email=email,
            parked=parked,
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
    responses={200: ETAG, **refusals.of_writing(account_unknown)},
)
async def unpark_account(writer: Writer, account_id: UUID, idempotent: Idempotent) -> Response:
    """Let billing come again, after what kept it away was mended. What fell due meanwhile is billed
    by the next run; an account that is not parked stays as it is.
    """

    async def unpark(tx: Tx) -> Account:
        return to_response(await unparking.unpark_account(tx, account_id))

    return with_etag(await once(writer.tx(), idempotent, work=unpark))
