"""Who gets what an account is sent?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from billwright.features.accounts.model import Account, Contact


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody who is written to, in a language; without a contact, it is the account's own address."""

    contact_id: UUID | None
    locale: str

    def dedup_key(self, key: str) -> str:
        """What may be said only once to this recipient."""
        return key if self.contact_id is None else f"{key}:{self.contact_id}"


def recipients_of(account: Account, billing: Sequence[Contact]) -> list[Recipient]:
    """The account's billing contacts, which take the place of its own address; nobody, where there is
    neither.
    """
    if billing:
        return [Recipient(one.id, one.locale or account.locale) for one in billing]
    return [Recipient(None, account.locale)] if account.email is not None else []
