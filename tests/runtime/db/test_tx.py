"""Does a transaction keep what it promises: all of it or nothing, of one tenant, at one instant?"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

import asyncpg
import pytest

from billwright.kernel.event import Event
from billwright.kernel.ids import new_id
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.json import from_json
from billwright.runtime.telemetry.context import bound, client_address


@dataclass(frozen=True, slots=True, kw_only=True)
class LampLit(Event):
    type: ClassVar[str] = "lamp.lit"
    subject_type: ClassVar[str] = "lamp"

    lumen: Decimal
    lit_at: datetime


def lit(lumen: str = "800.50") -> LampLit:
    at = datetime(2026, 3, 29, 1, 0, 0, 123456, tzinfo=UTC)
    return LampLit(subject_id=new_id(), account_id=None, lumen=Decimal(lumen), lit_at=at)


def party(party_id: UUID | None = None, data: object = None) -> dict[str, object]:
    return {"id": party_id or new_id(), "data": data or {}}


def clock_row(now: datetime) -> dict[str, object]:
    return {"id": new_id(), "name": "c", "now": now, "state": "ready", "created_at": now}


async def counts(tenant) -> tuple[int, int, int, int]:
    """Parties, events, audit entries and jobs."""
    async with tenant.tx() as tx:
        row = await tx.fetch_row(
            """select (select count(*) from party), (select count(*) from event),
                   (select count(*) from audit_entry where action <> 'tenant.create'),
                   (select count(*) from queue.pgqueuer)"""
        )
    return tuple(row)


async def fill(tx) -> None:
    await tx.insert("party", [party()])
    tx.publish(lit())
    tx.audit("lamp.light", subject_type="lamp", subject_id=new_id())
    tx.enqueue("dim", {"by": 1})


async def test_a_commit_brings_the_rows_the_events_the_audit_and_the_jobs(tenant):
    async with tenant.tx() as tx:
        await fill(tx)
        assert await tx.fetch_value("select count(*) from event") == 0
    assert await counts(tenant) == (1, 1, 1, 1)


async def test_a_rollback_brings_none_of_them(tenant):
    with pytest.raises(ZeroDivisionError):
        async with tenant.tx() as tx:
            await fill(tx)
            raise ZeroDivisionError
    assert await counts(tenant) == (0, 0, 0, 0)


async def test_an_event_that_cannot_be_stored_undoes_its_cause(tenant):
    with pytest.raises(asyncpg.DataError):
        async with tenant.tx() as tx:
            await fill(tx)
            # PostgreSQL's text has no zero byte.
            tx.audit("lamp.light", subject_type="\x00", subject_id=new_id())
    assert await counts(tenant) == (0, 0, 0, 0)


async def test_a_swallowed_database_error_is_not_a_silent_rollback(tenant):
    known = new_id()
    with pytest.raises(RuntimeError, match="rolled back"):
        async with tenant.tx() as tx:
            await tx.insert("party", [party(known)])
            with pytest.raises(asyncpg.UniqueViolationError):
                await tx.insert("party", [party(known)])
    assert await counts(tenant) == (0, 0, 0, 0)


async def test_what_was_published_is_stored_with_actor_cause_and_time(tenant, clock):
    event = lit()
    async with tenant.tx() as tx:
        tx.publish(event)
        tx.audit("lamp.light", subject_type="lamp", subject_id=event.subject_id, details={"n": 1})
    async with tenant.tx() as tx:
        stored = await tx.fetch_row("select * from event")
        entry = await tx.fetch_row("select * from audit_entry where action = 'lamp.light'")
    assert (stored["type"], stored["version"], stored["subject_id"]) == (
        "lamp.lit",
        1,
        event.subject_id,
    )
    assert from_json(stored["data"]) == {"lumen": "800.50", "lit_at": "2026-03-29T01:00:00.123456Z"}
    for row in (stored, entry):
        assert row["occurred_at"] == clock.now()
        assert (row["actor_kind"], row["actor_name"], row["cause"]) == ("system", "test", "test")
    assert from_json(entry["details"]) == {"n": 1}


async def test_an_audit_entry_says_by_which_request_and_from_where(tenant):
    async def requested(address: str | None) -> None:
        client_address.set(address)
        with bound(request_id=f"by {address}"):
            async with tenant.tx() as tx:
                await fill(tx)

    # A request runs in a task of its own, with which its context ends.
    await asyncio.gather(*(asyncio.create_task(requested(one)) for one in ("192.0.2.7", None)))
    async with tenant.tx() as tx:  # a job or a command
        await fill(tx)
    async with tenant.tx() as tx:
        rows = await tx.fetch(
            "select request_id, address from audit_entry where action = 'lamp.light'"
        )
    assert {tuple(row) for row in rows} == {
        ("by 192.0.2.7", "192.0.2.7"),
        ("by None", None),
        (None, None),
    }


async def test_a_savepoint_that_fails_takes_everything_of_its_own_along(tenant):
    async with tenant.tx() as tx:
        await fill(tx)
        with pytest.raises(ZeroDivisionError):
            async with tx.savepoint():
                await fill(tx)
                raise ZeroDivisionError
        async with tx.savepoint():
            await fill(tx)
    assert await counts(tenant) == (2, 2, 2, 2)


async def test_a_savepoint_recovers_from_an_error_of_the_database(tenant):
    known = new_id()
    async with tenant.tx() as tx:
        await tx.insert("party", [party(known)])
        with pytest.raises(asyncpg.UniqueViolationError):
            async with tx.savepoint():
                await tx.insert("party", [party(known)])
        await tx.insert("party", [party()])
    assert (await counts(tenant))[0] == 2


async def test_a_failing_savepoint_undoes_also_what_came_before_a_failed_inner_one(tenant):
    async with tenant.tx() as tx:
        await fill(tx)
        with pytest.raises(ZeroDivisionError):
            async with tx.savepoint():
                await fill(tx)
                with pytest.raises(LookupError):
                    async with tx.savepoint():
                        await fill(tx)
                        raise LookupError
                await fill(tx)
                raise ZeroDivisionError
    assert await counts(tenant) == (1, 1, 1, 1)


async def test_one_error_through_two_savepoints_undoes_both(tenant):
    async with tenant.tx() as tx:
        with pytest.raises(LookupError):
            async with tx.savepoint():
                await fill(tx)
                async with tx.savepoint():
                    await fill(tx)
                    raise LookupError
    assert await counts(tenant) == (0, 0, 0, 0)


async def test_what_is_foreseen_has_its_own_time_and_leaves_nothing_behind(tenant):
    async with tenant.tx() as tx:
        now, later = tx.now, tx.now + timedelta(days=3)
        tx.move_to(now)
        async with tx.foreseeing(later):
            await fill(tx)
            tx.move_to(now)  # as the lock of an account does
            assert tx.now == later
        assert tx.now == now
        with pytest.raises(ZeroDivisionError):
            async with tx.foreseeing(later):
                raise ZeroDivisionError
        assert tx.now == now
        async with tx.foreseeing(later):
            async with tx.foreseeing(later + timedelta(days=1)):
                await fill(tx)
            tx.move_to(now)
            assert tx.now == later
        await fill(tx)
    assert await counts(tenant) == (1, 1, 1, 1)


async def test_a_transaction_has_the_time_at_which_it_opened(tenant, clock):
    async with tenant.tx() as tx:
        opened = tx.now
        clock.move_to(clock.now() + timedelta(hours=1))
        assert tx.now == opened
    async with tenant.tx() as tx:
        assert tx.now == opened + timedelta(hours=1)


async def test_one_transaction_cannot_have_two_times(tenant):
    async with tenant.tx() as tx:
        first = tx.now - timedelta(days=3)
        tx.move_to(first)
        tx.move_to(first)
        assert tx.now == first
        with pytest.raises(RuntimeError, match="two different clocks"):
            tx.move_to(first + timedelta(microseconds=1))


async def test_waiting_too_long_for_a_lock_is_refused_as_busy(tenant):
    async with tenant.tx() as tx:
        await tx.execute("update tenant set name = 'held'")
        with pytest.raises(Refusal) as refused:
            async with tenant.tx() as other:
                await other.execute("set local lock_timeout = '50ms'")
                await other.execute("update tenant set name = 'late'")
    assert (refused.value.code, refused.value.category) == ("busy", "unavailable")
    async with tenant.tx() as tx:
        assert await tx.fetch_value("select name from tenant") == "held"


async def test_a_deadlock_is_refused_as_busy_and_one_of_the_two_goes_on(tenant):
    first, second = clock_row(datetime(2026, 1, 1, tzinfo=UTC)), None
    second = {**first, "id": new_id()}
    async with tenant.tx() as tx:
        await tx.insert("test_clock", [first, second])
    both_hold = asyncio.Barrier(2)

    async def cross(*ids: object) -> str:
        try:
            async with tenant.tx() as tx:
                await tx.execute("update test_clock set name = 'a' where id = $1", ids[0])
                await both_hold.wait()
                await tx.execute("update test_clock set name = 'b' where id = $1", ids[1])
        except Refusal as refusal:
            return refusal.code
        return "done"

    outcomes = await asyncio.gather(
        cross(first["id"], second["id"]), cross(second["id"], first["id"])
    )
    assert sorted(outcomes) == ["busy", "done"]


async def test_a_canceled_task_leaves_no_open_transaction(tenant, postgres_server):
    delays = random.Random(20260115)

    async def work() -> None:
        async with tenant.tx() as tx:
            await fill(tx)
            await tx.execute("select pg_sleep(0.005)")
            await asyncio.sleep(0.002)
            await fill(tx)

    before = await counts(tenant)
    committed = 0
    for _ in range(60):
        task = asyncio.create_task(work())
        await asyncio.sleep(delays.uniform(0, 0.03))
        task.cancel()
        try:
            await task
            committed += 1
        except asyncio.CancelledError:
            pass
    after = await counts(tenant)
    written = after[0] - before[0]
    assert after == tuple(count + written for count in before)
    assert written >= 2 * committed
    assert tenant.database.pool_use()[0] == 0
    open_transactions = postgres_server.execute(
        "select count(*) from pg_stat_activity where state like 'idle in transaction%'"
    )
    assert open_transactions == "0"


async def test_instants_are_stored_to_the_microsecond(tenant):
    instants = [
        datetime(2026, 3, 29, 0, 59, 59, 999999, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 30, 0, 1, tzinfo=UTC),
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(2199, 12, 31, 23, 59, 59, 123456, tzinfo=UTC),
    ]
    rows = [clock_row(instant) for instant in instants]
    async with tenant.tx() as tx:
        await tx.insert("test_clock", rows)
        for row in rows:
            as_parameter = await tx.fetch_value(
                "select now from test_clock where id = $1 and now = $2", row["id"], row["now"]
            )
            assert as_parameter == row["now"]


async def test_ten_thousand_rows_are_one_statement(tenant):
    async with tenant.tx() as tx:
        assert await tx.insert("party", [party(data={"n": n}) for n in range(10_000)]) == 10_000
        assert await tx.fetch_value("select sum((data ->> 'n')::int) from party") == 49_995_000
        assert await tx.insert("party", []) == 0


async def test_what_rows_have_in_common_is_named_once(tenant):
    first, second = (clock_row(datetime(2026, month, 1, tzinfo=UTC)) for month in (1, 2))
    shared = {name: first[name] for name in first if name not in {"id", "now"}}
    async with tenant.tx() as tx:
        await tx.insert("test_clock", [first])
        await tx.insert("test_clock", [{"id": second["id"], "now": second["now"]}], shared=shared)
        rows = await tx.fetch("select * from test_clock order by now")
    assert [(row["id"], row["now"]) for row in rows] == [
        (first["id"], first["now"]),
        (second["id"], second["now"]),
    ]
    own = {"id", "now"}
    first_shared, second_shared = ({k: v for k, v in row.items() if k not in own} for row in rows)
    assert first_shared == second_shared


async def test_decimals_are_exact_through_json_and_through_columns(tenant):
    exact = "0.1000000000000000055511151231257827021181583404541015625"
    async with tenant.tx() as tx:
        await tx.insert("party", [party(data={"rate": Decimal(exact), "small": Decimal("1E-9")})])
        data = from_json(await tx.fetch_value("select data from party"))
    assert {name: Decimal(text) for name, text in data.items()} == {
        "rate": Decimal(exact),
        "small": Decimal("1E-9"),
    }


async def test_what_is_there_already_is_counted_as_not_stored(tenant):
    known = new_id()
    async with tenant.tx() as tx:
        await tx.insert("party", [party(known)])
        stored = await tx.insert(
            "party", [party(known), party()], on_conflict="on conflict do nothing"
        )
    assert stored == 1


@pytest.mark.parametrize(
    ("table", "row", "error"),
    [
        ("party", {"id": "not an id", "data": {}}, asyncpg.InvalidTextRepresentationError),
        ("party", {"id": str(new_id())}, asyncpg.NotNullViolationError),
        ("party", {"id": new_id(), "data": None}, asyncpg.NotNullViolationError),
        ("party", {"id": new_id(), "dta": {}}, asyncpg.UndefinedColumnError),
        ("tenant_counter", {"name": "n", "last_value": 2**63}, asyncpg.DataError),
        ("tenant_counter", {"name": "n", "last_value": Decimal("1.5")}, asyncpg.DataError),
        ("test_clock", {**clock_row(datetime(2026, 1, 1, tzinfo=UTC)), "state": "lost"}, None),
    ],
)
async def test_a_value_that_does_not_fit_is_refused_and_not_bent(tenant, table, row, error):
    with pytest.raises(error or asyncpg.CheckViolationError):
        async with tenant.tx() as tx:
            await tx.insert(table, [row])


@pytest.mark.parametrize("change", [{"failure": "lost"}, {"failure": "lost", "target": None}])
async def test_rows_that_name_different_columns_are_a_bug(tenant, change):
    first, second = (clock_row(datetime(2026, 1, 1, tzinfo=UTC)) for _ in range(2))
    for rows in ([first, {**second, **change}], [{**first, **change}, second]):
        with pytest.raises(ValueError, match="columns"):
            async with tenant.tx() as tx:
                await tx.insert("test_clock", rows)
