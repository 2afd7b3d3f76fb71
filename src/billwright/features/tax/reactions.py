"""When is the VAT id of an account checked?"""

from __future__ import annotations

from collections.abc import Sequence

from billwright.features.accounts.events import AccountCreated, AccountUpdated
from billwright.features.accounts.sql.reads import accounts_by_id
from billwright.features.tax.operations.request_vat_id_checks import request_vat_id_checks
from billwright.runtime.db.tx import Tx
from billwright.runtime.queue.registry import Reaction, Recorded

# What the question to the register and the use of its answer depend on.
_OF_CONSEQUENCE = frozenset({"tax_id", "address", "customer_type"})


async def check_new_accounts(tx: Tx, recorded: Sequence[Recorded]) -> None:
    """Ask for the checks of new accounts' VAT ids."""
    accounts = await accounts_by_id(tx, [one.event.subject_id for one in recorded])
    await request_vat_id_checks(tx, list(accounts.values()))


async def check_changed_accounts(tx: Tx, recorded: Sequence[Recorded]) -> None:
    """Ask for the checks of accounts whose VAT id, or what it is read by, is not as it was."""
    accounts = await accounts_by_id(
        tx,
        [
            one.event.subject_id
            for one in recorded
            if not _OF_CONSEQUENCE.isdisjoint(one.event.changed)
        ],
    )
    await request_vat_id_checks(tx, list(accounts.values()))


REACTIONS = [
    Reaction("check_new_accounts", AccountCreated, check_new_accounts),
    Reaction("check_changed_accounts", AccountUpdated, check_changed_accounts),
]
