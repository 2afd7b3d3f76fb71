"""When is the VAT id of an account checked?"""

from __future__ import annotations

from collections.abc import Sequence

from billwright.features.accounts.events import AccountCreated
from billwright.features.accounts.sql.reads import accounts_by_id
from billwright.features.tax.operations.request_vat_id_checks import request_vat_id_checks
from billwright.runtime.db.tx import Tx
from billwright.runtime.queue.registry import Reaction, Recorded


async def check_new_accounts(tx: Tx, recorded: Sequence[Recorded]) -> None:
    """Ask for the checks of new accounts' VAT ids."""
    accounts = await accounts_by_id(tx, [one.event.subject_id for one in recorded])
    await request_vat_id_checks(tx, list(accounts.values()))


REACTIONS = [Reaction("check_new_accounts", AccountCreated, check_new_accounts)]
