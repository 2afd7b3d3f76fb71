"""Whom does a platform name to be written to for a customer?"""

from __future__ import annotations

from typing import Annotated, cast
from uuid import UUID

from fastapi import APIRouter
from pydantic import ConfigDict, Field
from starlette.responses import Response

from billwright.features.accounts import model
from billwright.features.accounts.errors import (
    account_unknown,
    contact_repeated,
    contact_unknown,
    contact_version_stale,
    contacts_too_many,
)
from billwright.features.accounts.operations import add_contact as adding
from billwright.features.accounts.operations import remove_contact as removing
from billwright.features.accounts.operations import update_contact as updating
from billwright.features.accounts.sql.reads import account_by_id
from billwright.features.accounts.sql.reads_contacts import contact_of
from billwright.features.accounts.sql.reads_contacts import list_contacts as read_contacts
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Reader, Writer
from billwright.surfaces.platform_api.fields import Email, Locale
from billwright.surfaces.platform_api.versions import ETAG, IfMatch, etag, version_of, with_etag
from billwright.surfaces.web.idempotency import Idempotent, once
from billwright.surfaces.web.pages import Listing, Page, PageParameters
from billwright.surfaces.web.wire import Choice, Instant, RequestModel, ResponseModel, Text

router = APIRouter(prefix="/accounts/{account_id}/contacts", tags=["accounts"])

_LISTING = Listing("contacts", tuple[UUID])

_Role = Annotated[
    Choice[model.ContactRole],
    Field(
        description="Invoices and notices go to the contacts of the role `billing`, each in its own "
        "language; without any, to the account's own address. The other roles are for people to read."
    ),
]
_Language = Annotated[
    Locale | None, Field(description="The language to write in; null: the account's.")
]


class ContactInput(RequestModel):
    """A person or a mailbox of a customer."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"name": "Accounts payable", "email": "payable@riverbank.example"},
                {"name": "Alex Example", "email": "alex@riverbank.example", "role": "owner"},
            ]
        }
    )

    name: Annotated[Text, Field(description="Whom the letter is for.")]
    email: Email
    role: _Role = model.ContactRole.BILLING
    locale: _Language = None


class ContactUpdateInput(RequestModel):
    """What is to change; what is left out stays."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"email": "books@riverbank.example"}, {"locale": None}]}
    )

    # The defaults of members that cannot be null are never read: only what was sent is.
    name: Text = Field(default_factory=str)
    email: Email = Field(default_factory=str)
    role: _Role = Field(default_factory=lambda: model.ContactRole.BILLING)
    locale: _Language = None


class Contact(ResponseModel):
    """A person or a mailbox of a customer."""

    id: UUID
    account_id: UUID
    name: str
    email: str
    role: model.ContactRole
    locale: Annotated[str | None, Field(description="Null: the account's.")]
    version: Annotated[
        int, Field(description="Grows with every change; also the `ETag`, for `If-Match`.")
    ]
    created_at: Instant
    updated_at: Instant


def to_response(contact: model.Contact) -> Contact:
    return Contact(
        id=contact.id,
        account_id=contact.account_id,
        name=contact.name,
        email=contact.email,
        role=contact.role,
        locale=contact.locale,
        version=contact.version,
        created_at=contact.created_at,
        updated_at=contact.updated_at,
    )


@router.post(
    "",
    status_code=201,
    response_model=Contact,
    summary="Add a contact",
    responses={
        201: ETAG,
        **refusals.of_writing(account_unknown, contact_repeated, contacts_too_many),
    },
)
async def add_contact(
    writer: Writer, account_id: UUID, body: ContactInput, idempotent: Idempotent
) -> Response:
    """An address has each role once."""

    async def add(tx: Tx) -> Contact:
        command = adding.AddContact(
            account_id=account_id,
            name=body.name,
            email=body.email,
            role=body.role,
            locale=body.locale,
        )
        return to_response(await adding.add_contact(tx, command))

    return with_etag(await once(writer.tx(), idempotent, work=add))


@router.get("", summary="List contacts", responses=refusals.of_listing(account_unknown))
async def list_contacts(
    reader: Reader, account_id: UUID, page: PageParameters, role: model.ContactRole | None = None
) -> Page[Contact]:
    """Newest first."""
    filters = {"account_id": account_id, "role": role}
    after = _LISTING.after(page, filters=filters)
    async with reader.tx() as tx:
        await account_by_id(tx, account_id)
        contacts = await read_contacts(
            tx, account_id, before=after[0] if after else None, limit=page.limit + 1, role=role
        )
    return _LISTING.page(
        contacts, page, filters=filters, key=lambda one: (one.id,), to_response=to_response
    )


@router.get(
    "/{contact_id}",
    summary="Get a contact",
    responses={200: ETAG, **refusals.of_reading(contact_unknown)},
)
async def get_contact(
    reader: Reader, account_id: UUID, contact_id: UUID, response: Response
) -> Contact:
    async with reader.tx() as tx:
        contact = await contact_of(tx, account_id, contact_id=contact_id)
    response.headers["ETag"] = etag(contact.version)
    return to_response(contact)


@router.patch(
    "/{contact_id}",
    response_model=Contact,
    summary="Update a contact",
    responses={
        200: ETAG,
        **refusals.of_writing(
            account_unknown, contact_unknown, contact_version_stale, contact_repeated
        ),
    },
)
async def update_contact(
    writer: Writer,
    account_id: UUID,
    contact_id: UUID,
    body: ContactUpdateInput,
    idempotent: Idempotent,
    if_match: IfMatch = None,
) -> Response:
    """What is on its way already goes to the new address."""

    async def update(tx: Tx) -> Contact:
        changes = {name: getattr(body, name) for name in body.model_fields_set}
        command = updating.UpdateContact(
            account_id=account_id,
            contact_id=contact_id,
            changes=cast("updating.ContactChanges", changes),
            expected_version=version_of(if_match),
        )
        return to_response(await updating.update_contact(tx, command))

    return with_etag(await once(writer.tx(), idempotent, work=update))


@router.delete(
    "/{contact_id}",
    status_code=204,
    summary="Remove a contact",
    responses=refusals.of_writing(account_unknown, contact_unknown, contact_version_stale),
)
async def remove_contact(
    writer: Writer,
    account_id: UUID,
    contact_id: UUID,
    idempotent: Idempotent,
    if_match: IfMatch = None,
) -> Response:
    """What is on its way to it is not delivered any more."""

    async def remove(tx: Tx) -> None:
        command = removing.RemoveContact(
            account_id=account_id,
            contact_id=contact_id,
            expected_version=version_of(if_match),
        )
        await removing.remove_contact(tx, command)

    return await once(writer.tx(), idempotent, work=remove)
