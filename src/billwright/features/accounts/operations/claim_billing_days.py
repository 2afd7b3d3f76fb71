"""Whose billing day has begun, and when does it begin next?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from billwright.features.accounts.model import Account
from billwright.features.accounts.rules.billing_day import next_billing_instant
from billwright.features.accounts.sql.writes import claim_due_accounts, set_billing_instants
from billwright.runtime.db.tx import Tx


async def claim_accounts_to_invoice(
    tx: Tx,
    *,
    as_of: datetime,
    test_clock_id: UUID | None,
    limit: int,
    after: UUID | None = None,
) -> list[Account]:
    """Lock accounts whose billing day has begun by `as_of`: those that have waited longest, without
    the parked ones and those that somebody else holds. The caller advances each in the same commit.
    With `after`, those beyond that id in the order of the ids.
    """
    return await claim_due_accounts(
        tx, as_of=as_of, test_clock_id=test_clock_id, limit=limit, after=after
    )


async def advance_billing_days(tx: Tx, accounts: Sequence[Account], *, now: datetime) -> None:
    """Let the billing day of claimed accounts begin next after `now`.

    Days that passed while nothing ran are not made up for: what waited for them is on one invoice.
    """
    instants = {
        account.id: next_billing_instant(now, billing_day=account.billing_day, zone=account.zone)
        for account in accounts
        if account.billing_day is not None
    }
    await set_billing_instants(tx, list(instants), instants=list(instants.values()))
