"""When may an account be closed?"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from billwright.features.accounts.errors import account_not_closable, account_version_stale
from billwright.features.accounts.model import Account, AccountStatus
from billwright.features.accounts.operations.change_account_status import shut_account
from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.invoicing.model import InvoiceState
from billwright.features.invoicing.operations.grant_credit import ChangeCredit, withdraw_credit
from billwright.features.invoicing.sql.reads import pending_charges, states_of_documents
from billwright.features.invoicing.sql.reads_credit import credit_balances
from billwright.features.payment_methods.operations.remove_method import remove_methods_of
from billwright.features.payments.sql.reads import has_live_attempts
from billwright.features.subscriptions.sql.reads import has_running_subscriptions
from billwright.runtime.db.tx import Tx

_DRAFTS = {InvoiceState.DRAFT, InvoiceState.FINALIZING}
_OPEN = {InvoiceState.OPEN, InvoiceState.PARTIALLY_PAID}


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseAccount:
    """`forfeits_credit`: what the customer has with the seller is given up."""

    account_id: UUID
    reason: str = ""
    forfeits_credit: bool = False
    expected_version: int | None = None


async def close_account(tx: Tx, command: CloseAccount) -> Account:
    """Let an account take nothing new, once nothing of it goes on any more; one that is closed stays as
    it is. Refunds and disputes that are under way go on: they are about what has been. Its payment
    methods are removed, so that nobody can charge them, here or at their providers.

    Refuses: `account_unknown`, `account_version_stale`, `account_not_closable` with all `reasons`.
    """
    account = await lock_account(tx, command.account_id)
    if command.expected_version not in {None, account.version}:
        raise account_version_stale(expected=command.expected_version, actual=account.version)
    if account.status is AccountStatus.CLOSED:
        return account
    credit = [each for each in await credit_balances(tx, account.id) if each.amount_minor]
    reasons = await _reasons(tx, account.id)
    if credit and not command.forfeits_credit:
        reasons.append("credit_left")
    if reasons:
        raise account_not_closable(account_id=account.id, reasons=reasons)
    for amount in credit:
        forfeited = ChangeCredit(
            account_id=account.id, amount=amount, reason=command.reason or "The account is closed."
        )
        await withdraw_credit(tx, forfeited)
    await remove_methods_of(tx, account.id)
    account = await lock_account(tx, account.id)  # again, as it is without its methods
    return await shut_account(tx, account, reason=command.reason)


async def _reasons(tx: Tx, account_id: UUID) -> list[str]:
    """What still goes on, in the words of the refusal."""
    states = await states_of_documents(tx, account_id)
    found = {
        "subscriptions_running": await has_running_subscriptions(tx, account_id),
        "drafts_left": bool(states & _DRAFTS),
        "invoices_open": bool(states & _OPEN),
        "charges_waiting": bool(await pending_charges(tx, [account_id])),
        "payments_under_way": await has_live_attempts(tx, account_id),
    }
    return [reason for reason, holds in found.items() if holds]
