"""How does a person charge something with the next invoice?"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from billwright.features.invoicing.errors import charge_negative
from billwright.features.invoicing.events import ChargeAdded
from billwright.features.invoicing.model import InvoiceDraft, InvoiceTiming
from billwright.features.invoicing.operations.bill_charges import bill_charges
from billwright.features.invoicing.operations.create_manual_invoice import lock_paying_account
from billwright.features.invoicing.rules.manual_line import ManualLine, manual_charge
from billwright.kernel.currency import currency_of
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCharge:
    """A line for the account's next invoice, in its currency unless another is named."""

    account_id: UUID
    line: ManualLine
    currency: str | None = None


async def add_charge(tx: Tx, command: AddCharge) -> None:
    """Write a debt down that waits for the next document of the account in its currency.

    Refuses: `account_unknown_here`, `account_closed`, `currency_unknown`, `charge_negative`,
    `line_too_large`, `line_period_reversed`, `tax_rate_unknown`.
    """
    account = await lock_paying_account(tx, command.account_id)
    currency = currency_of(command.currency or account.currency)
    charge = manual_charge(command.line, written_at=tx.now, currency=currency, pointer="/line")
    if charge.amount_minor < 0:
        raise charge_negative(pointer="/line/unit_price")
    await bill_charges(tx, [InvoiceDraft(account, currency, (charge,), timing=InvoiceTiming.LATER)])
    tx.publish(
        ChargeAdded(
            subject_id=account.id,
            account_id=account.id,
            currency=currency.code,
            amount_minor=charge.amount_minor,
            description=charge.description,
        )
    )
    tx.audit("charge.add", subject_type="account", subject_id=account.id, details=command)
