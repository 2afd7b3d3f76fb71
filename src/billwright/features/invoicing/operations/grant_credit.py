"""How does a person give an account credit, or take it back?"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from billwright.features.accounts.errors import account_closed
from billwright.features.accounts.model import AccountStatus
from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.invoicing.errors import credit_insufficient, credit_not_positive
from billwright.features.invoicing.events import AccountCreditChanged
from billwright.features.invoicing.model import CreditChange, CreditEntryKind
from billwright.features.invoicing.operations.change_credit import change_credit
from billwright.features.invoicing.sql.reads_credit import credit_balance
from billwright.kernel.money import Money
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCredit:
    """Grant or withdraw an amount above zero; `reason` is for the books."""

    account_id: UUID
    amount: Money
    reason: str


async def grant_credit(tx: Tx, command: ChangeCredit) -> Money:
    """Invoices to come take from it; answers what the account has now.

    Refuses: `account_unknown`, `account_closed`, `credit_not_positive`.
    """
    account = await lock_account(tx, command.account_id)
    if account.status is AccountStatus.CLOSED:
        raise account_closed(account_id=account.id)
    return await _changed(tx, command, kind=CreditEntryKind.GRANTED)


async def withdraw_credit(tx: Tx, command: ChangeCredit) -> Money:
    """Answers what the account has now.

    Refuses: `account_unknown`, `credit_not_positive`, `credit_insufficient`.
    """
    await lock_account(tx, command.account_id)
    balance = await credit_balance(tx, command.account_id, currency=command.amount.currency)
    if command.amount > balance:
        raise credit_insufficient(balance=str(balance), amount=str(command.amount))
    return await _changed(tx, command, kind=CreditEntryKind.WITHDRAWN)


async def _changed(tx: Tx, command: ChangeCredit, *, kind: CreditEntryKind) -> Money:
    if command.amount.amount_minor <= 0:
        raise credit_not_positive(pointer="/amount")
    currency = command.amount.currency
    change = command.amount if kind is CreditEntryKind.GRANTED else -command.amount
    await change_credit(
        tx,
        [
            CreditChange(
                account_id=command.account_id,
                currency=currency,
                kind=kind,
                amount_minor=change.amount_minor,
                reason=command.reason,
            )
        ],
    )
    balance = await credit_balance(tx, command.account_id, currency=currency)
    tx.publish(
        AccountCreditChanged(
            subject_id=command.account_id,
            account_id=command.account_id,
            currency=currency.code,
            amount_minor=change.amount_minor,
            balance_minor=balance.amount_minor,
            reason=command.reason,
        )
    )
    tx.audit(
        f"account_credit.{kind.value}",
        subject_type="account",
        subject_id=command.account_id,
        details={
            "amount_minor": change.amount_minor,
            "currency": currency.code,
            "reason": command.reason,
        },
    )
    return balance
