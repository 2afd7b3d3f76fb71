"""How do accounts and their clocks change?"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import asyncpg

from billwright.features.accounts.model import Account, TestClock, TestClockState
from billwright.features.accounts.sql.reads import ACCOUNT_COLUMNS
from billwright.runtime.db.tx import Tx


async def insert_account(tx: Tx, account: Account) -> bool:
    """Store a new account; false when its external id is taken."""
    inserted = await tx.insert(
        "account",
        [
            {
                "id": account.id,
                "number": account.number,
                "external_id": account.external_id,
                "status": account.status,
                "name": account.name,
                "email": account.email,
                "customer_type": account.customer_type,
                "tax_id": account.tax_id,
                "reference": account.reference,
                "address": account.address,
                "currency": account.currency,
                "locale": account.locale,
                "zone": account.zone,
                "payment_terms_days": account.payment_terms_days,
                "test_clock_id": account.test_clock_id,
                "metadata": account.metadata,
                "version": account.version,
                "created_at": account.created_at,
                "updated_at": account.updated_at,
            }
        ],
        on_conflict="on conflict do nothing",
    )
    return inserted == 1


async def lock_account_row(tx: Tx, account_id: UUID) -> asyncpg.Record | None:
    """An account's row with the time of its test clock, locked until the commit."""
    return await tx.fetch_row(
        f"""select {ACCOUNT_COLUMNS}, c.now as clock_now
            from account a
            left join test_clock c on c.tenant_id = a.tenant_id and c.id = a.test_clock_id
            where a.tenant_id = $1 and a.id = $2
            for no key update of a""",
        tx.tenant_id,
        account_id,
    )


async def set_parked_reason(tx: Tx, *, account_id: UUID, reason: str) -> None:
    """Keep billing runs away from an account."""
    await tx.execute(
        """update account set parked_reason = $3, version = version + 1, updated_at = $4
           where tenant_id = $1 and id = $2""",
        tx.tenant_id,
        account_id,
        reason,
        tx.now,
    )


async def insert_test_clock(tx: Tx, clock: TestClock) -> None:
    """Store a new test clock."""
    await tx.execute(
        """insert into test_clock (tenant_id, id, name, now, state, created_at)
           values ($1, $2, $3, $4, $5, $6)""",
        tx.tenant_id,
        clock.id,
        clock.name,
        clock.now,
        clock.state.value,
        clock.created_at,
    )


async def start_advance(tx: Tx, *, test_clock_id: UUID, target: datetime) -> None:
    """Note where a clock is going."""
    await tx.execute(
        """update test_clock set state = 'advancing', target = $3, failure = null
           where tenant_id = $1 and id = $2""",
        tx.tenant_id,
        test_clock_id,
        target,
    )


async def move_test_clock(tx: Tx, *, test_clock_id: UUID, now: datetime) -> None:
    """Let a clock stand at `now`; it never moves back."""
    await tx.execute(
        "update test_clock set now = $3 where tenant_id = $1 and id = $2 and now <= $3",
        tx.tenant_id,
        test_clock_id,
        now,
    )


async def end_advance(
    tx: Tx, *, test_clock_id: UUID, state: TestClockState, failure: str | None
) -> None:
    """Note that a clock has arrived, or why it has not."""
    await tx.execute(
        """update test_clock set state = $3, target = null, failure = $4
           where tenant_id = $1 and id = $2""",
        tx.tenant_id,
        test_clock_id,
        state.value,
        failure,
    )


async def lock_test_clock(tx: Tx, test_clock_id: UUID) -> None:
    """Hold a clock until the commit, so that one advance at a time is started."""
    await tx.execute(
        "select from test_clock where tenant_id = $1 and id = $2 for update",
        tx.tenant_id,
        test_clock_id,
    )
