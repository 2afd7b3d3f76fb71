"""How are accounts told of what has happened?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from billwright.features.accounts.model import Account
from billwright.features.accounts.sql.reads import accounts_by_id
from billwright.features.accounts.sql.reads_contacts import billing_contacts
from billwright.features.notifications.messages import MessageType
from billwright.features.notifications.model import NewRequest
from billwright.features.notifications.operations.request_messages import request_messages
from billwright.features.notifications.rules.recipients import recipients_of
from billwright.runtime.db.tx import Tx
from billwright.runtime.queue.registry import Recorded


@dataclass(frozen=True, slots=True)
class Content:
    """What a message says, which thing it is about where that is not the event's own subject, and
    `once`, what it says only once where that is more than its type and the event's subject.
    """

    type: MessageType
    data: dict[str, str]
    subject: tuple[str, UUID] | None = None
    once: str | None = None


async def tell_accounts(
    tx: Tx, recorded: Sequence[Recorded], *, content_of: Callable[[Any, Account], Content]
) -> None:
    """Ask for one message per event and recipient, to the accounts that can receive one."""
    if not recorded:
        return
    account_ids = list({one.event.account_id for one in recorded})
    accounts = await accounts_by_id(tx, account_ids)
    contacts = await billing_contacts(tx, account_ids)
    requests = []
    for one in recorded:
        event, account = one.event, accounts[one.event.account_id]
        for recipient in recipients_of(account, contacts.get(account.id, ())):
            content = content_of(event, replace(account, locale=recipient.locale))
            subject_type, subject_id = content.subject or (event.subject_type, event.subject_id)
            requests.append(
                NewRequest(
                    type=content.type.value,
                    account_id=account.id,
                    contact_id=recipient.contact_id,
                    locale=recipient.locale,
                    subject_type=subject_type,
                    subject_id=subject_id,
                    data={"account_name": account.name, **content.data},
                    dedup_key=recipient.dedup_key(
                        content.once or f"{content.type.value}:{event.subject_id}"
                    ),
                    occurred_at=one.occurred_at,
                )
            )
    await request_messages(tx, requests)
