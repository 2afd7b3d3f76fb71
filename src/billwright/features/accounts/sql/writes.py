"""How do accounts and their clocks change?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from billwright.features.accounts.model import (
    Account,
    AccountStatus,
    TestClock,
    TestClockState,
)
from billwright.features.accounts.sql.reads import ACCOUNT_COLUMNS, account_from_row
from billwright.runtime.db.json import to_json
from billwright.runtime.db.tx import Tx


async def insert_account(tx: Tx, account: Account) -> bool:
    """Store a new account; false when its external id is taken."""
    inserted = await tx.insert(
        "account",
        [
            {
                **_changeable(account),
                "id": account.id,
                "number": account.number,
                "status": account.status,
                "has_payment_method": account.has_payment_method,
                "test_clock_id": account.test_clock_id,
                "created_at": account.created_at,
            }
        ],
        on_conflict="on conflict do nothing",
    )
    if inserted == 1:
        await _insert_metadata(tx, account)
    return inserted == 1


async def update_account_row(tx: Tx, account: Account) -> bool:
    """Store what a change has made of a locked account; false when its external id is taken."""
    changeable = _changeable(account)
    columns = ", ".join(changeable)
    try:
        async with tx.savepoint():
            await tx.execute(
                f"""update account a set ({columns}) = (
                        select {columns} from json_populate_record(null::account, $3::json))
                    where a.tenant_id = $1 and a.id = $2""",
                tx.tenant_id,
                account.id,
                to_json(changeable),
            )
    except asyncpg.UniqueViolationError:
        return False
    return True


def _changeable(account: Account) -> dict[str, object]:
    return {
        "external_id": account.external_id,
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
        "collection": account.collection,
        "billing_day": account.billing_day,
        "next_invoice_at": account.next_invoice_at,
        "metadata": account.metadata,
        "version": account.version,
        "updated_at": account.updated_at,
    }


async def claim_due_accounts(
    tx: Tx,
    *,
    as_of: datetime,
    test_clock_id: UUID | None,
    limit: int,
    after: UUID | None = None,
) -> list[Account]:
    """Lock up to `limit` accounts whose billing day has begun, those that have waited longest first;
    with `after`, those beyond that id in the order of the ids.

    Accounts that another worker or a command holds are passed over, not waited for; parked ones are
    left alone.
    """
    clock = (
        "a.test_clock_id = $4" if test_clock_id else "a.test_clock_id is null and $4::uuid is null"
    )
    rows = await tx.fetch(
        f"""select {ACCOUNT_COLUMNS} from account a
            where a.tenant_id = $1 and a.next_invoice_at <= $2 and a.parked_reason is null and {clock}
                and ($5::uuid is null or a.id > $5)
            order by {"a.id" if after else "a.next_invoice_at"}
            limit $3
            for no key update skip locked""",
        tx.tenant_id,
        as_of,
        limit,
        test_clock_id,
        after,
    )
    return [account_from_row(row) for row in rows]


async def set_billing_instants(
    tx: Tx, account_ids: Sequence[UUID], *, instants: Sequence[datetime]
) -> None:
    """Note when the billing day of locked accounts begins next."""
    await tx.execute(
        """update account a
           set next_invoice_at = n.next_invoice_at, version = a.version + 1, updated_at = $4
           from unnest($2::uuid[], $3::timestamptz[]) as n (account_id, next_invoice_at)
           where a.tenant_id = $1 and a.id = n.account_id""",
        tx.tenant_id,
        account_ids,
        instants,
        tx.now,
    )


async def replace_metadata(tx: Tx, account: Account) -> None:
    """Let a locked account be found by what its metadata say now."""
    await tx.execute(
        "delete from account_metadata where tenant_id = $1 and account_id = $2",
        tx.tenant_id,
        account.id,
    )
    await _insert_metadata(tx, account)


async def _insert_metadata(tx: Tx, account: Account) -> None:
    entries = account.metadata.items()
    await tx.insert(
        "account_metadata",
        [{"key": key, "value": value} for key, value in entries],
        shared={"account_id": account.id},
    )


async def set_status(tx: Tx, *, account_id: UUID, status: AccountStatus) -> None:
    """Note whether an account takes anything new."""
    await tx.execute(
        """update account set status = $3, version = version + 1, updated_at = $4
           where tenant_id = $1 and id = $2""",
        tx.tenant_id,
        account_id,
        status.value,
        tx.now,
    )


async def set_payment_method(tx: Tx, *, account_id: UUID, present: bool) -> None:
    """Note whether money can be collected from an account without asking it."""
    await tx.execute(
        """update account set has_payment_method = $3, version = version + 1, updated_at = $4
           where tenant_id = $1 and id = $2""",
        tx.tenant_id,
        account_id,
        present,
        tx.now,
    )


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


async def set_parked_reason(tx: Tx, *, account_id: UUID, reason: str | None) -> None:
    """Keep billing runs away from an account, or let them come again."""
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
