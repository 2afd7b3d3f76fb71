"""How does what is known of an account change?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypedDict
from uuid import UUID

from billwright.features.accounts.errors import account_version_stale, external_id_taken
from billwright.features.accounts.events import AccountUpdated
from billwright.features.accounts.model import Account, Collection, CustomerType
from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.accounts.rules.billing_day import moved_billing_instant
from billwright.features.accounts.sql.writes import replace_metadata, update_account_row
from billwright.features.tenancy.model import Address
from billwright.kernel.calendar import require_zone
from billwright.kernel.currency import currency_of
from billwright.runtime.db.tx import Tx


class AccountChanges(TypedDict, total=False):
    """What may change, under the names that the account has for it; what is not named stays."""

    external_id: str | None
    name: str
    email: str | None
    customer_type: CustomerType
    tax_id: str | None
    reference: str | None
    address: Address
    currency: str
    locale: str
    zone: str
    payment_terms_days: int | None
    collection: Collection
    billing_day: int | None
    metadata: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateAccount:
    """Change some fields of an account; address and metadata are replaced as a whole.

    `expected_version` refuses the command when someone else changed the account first.
    """

    account_id: UUID
    changes: AccountChanges
    expected_version: int | None = None


async def update_account(tx: Tx, command: UpdateAccount) -> Account:
    """Change what is known of an account. Subscriptions and documents that exist keep what they were
    made with. An account that is invoiced at once from now on has charges that still wait for its
    billing day: whoever owns them learns of it by the event.

    A command that changes nothing leaves nothing behind. Refuses: `account_unknown`,
    `account_version_stale`, `currency_unknown`, `zone_unknown`, `billing_day_mismatch`,
    `day_of_month_out_of_range`, `external_id_taken`.
    """
    account = await lock_account(tx, command.account_id)
    if command.expected_version not in {None, account.version}:
        raise account_version_stale(expected=command.expected_version, actual=account.version)
    asked = _asked(account, command.changes)
    next_invoice_at = moved_billing_instant(account, changed=asked, now=tx.now)
    changed = sorted(
        name
        for name in AccountChanges.__annotations__
        if getattr(asked, name) != getattr(account, name)
    )
    if not changed:
        return account
    updated = replace(
        asked, next_invoice_at=next_invoice_at, version=account.version + 1, updated_at=tx.now
    )
    if not await update_account_row(tx, updated):
        raise external_id_taken(pointer="/external_id", external_id=updated.external_id)
    if "metadata" in changed:
        await replace_metadata(tx, updated)
    tx.publish(AccountUpdated(subject_id=account.id, account_id=account.id, changed=tuple(changed)))
    tx.audit(
        "account.update",
        subject_type="account",
        subject_id=account.id,
        details={"changed": {name: getattr(updated, name) for name in changed}},
    )
    return updated


def _asked(account: Account, changes: AccountChanges) -> Account:
    """The account as the command wants it. The billing day goes with its collection policy."""
    asked = replace(account, **changes)
    if asked.collection is Collection.IMMEDIATE and "billing_day" not in changes:
        asked = replace(asked, billing_day=None)
    require_zone(asked.zone)
    return replace(asked, currency=currency_of(asked.currency).code)
