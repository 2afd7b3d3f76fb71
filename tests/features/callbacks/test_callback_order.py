"""Do the books come out the same in whatever order, and however often, events come?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.payments.model import Attempt
from billwright.kernel.ids import new_id
from tests.conftest import NOON, Tenant, make_tenant
from tests.features.callbacks.calling import Caller, asked
from tests.features.payments.paying import TOTAL, an_invoice
from tests.histories.profile import histories


@dataclass(frozen=True, slots=True)
class Told:
    """One event of an attempt's history."""

    state: str
    amount_minor: int = TOTAL
    failure_code: str | None = None
    decline: str | None = None


# What a provider can truthfully say of one attempt, from its beginning to its end.
HISTORIES = (
    (Told("processing"), Told("succeeded")),
    (Told("requires_action"), Told("processing"), Told("succeeded")),
    (Told("requires_action"), Told("declined", failure_code="abandoned", decline="soft")),
    (Told("processing"), Told("declined", failure_code="insufficient_funds", decline="soft")),
    # Somebody tries again at the provider what was declined there.
    (Told("declined", failure_code="do_not_honor", decline="soft"), Told("succeeded")),
    (Told("processing"), Told("succeeded", amount_minor=TOTAL - 500)),
    (Told("processing"), Told("succeeded", amount_minor=TOTAL + 500)),
)
BOOKS = """
    select i.state, i.paid_minor, i.due_minor, p.state, p.captured_minor, p.unapplied_minor, t.state,
        t.failure_code, t.decline, t.next_check_at is null,
        (select coalesce(sum(amount_minor), 0) from credit_entry where tenant_id = $1)::bigint,
        (select count(*) from event where tenant_id = $1 and type = 'payment.succeeded'),
        (select count(*) from review_task where tenant_id = $1)
    from payment_attempt t
    join payment p on p.tenant_id = t.tenant_id and p.id = t.payment_id
    join invoice i on i.tenant_id = p.tenant_id and i.id = p.invoice_id
    where t.tenant_id = $1"""


async def books_after(
    database: Any, clock: Any, history: tuple[Told, ...], *, order: list[int]
) -> tuple[Any, ...]:
    """The books of a fresh tenant to whom this is told in this order."""
    tenant = await make_tenant(database, f"tenant-{new_id()}")
    caller = Caller(database, clock)
    attempt = await asked(tenant, await an_invoice(tenant), caller)
    bodies = [event_of(caller, tenant, attempt, told) for told in history]
    for place in order:
        await caller.deliver(bodies[place])
    async with tenant.tx() as tx:
        states = await tx.fetch("select distinct state from provider_callback")
        assert [row["state"] for row in states] == ["handled"]
        [row] = await tx.fetch(BOOKS, tenant.id)
        return tuple(row)


def event_of(caller: Caller, tenant: Tenant, attempt: Attempt, told: Told) -> bytes:
    return caller.about(
        attempt,
        told.state,
        tenant_id=tenant.id,
        amount_minor=None if told.state == "declined" else told.amount_minor,
        failure_code=told.failure_code,
        decline=told.decline,
    )


@given(data=st.data(), history=st.sampled_from(HISTORIES))
@histories(short=14, long=500)
async def test_any_order_and_repetition_leaves_the_same_books(data, history, database, clock):
    everything = list(range(len(history)))
    again = data.draw(st.lists(st.sampled_from(everything), max_size=4))
    order = data.draw(st.permutations(everything + again))
    expected = await books_after(database, clock, history, order=everything)
    assert await books_after(database, clock, history, order=order) == expected


@pytest.mark.parametrize(
    ("came_minor", "paid_minor", "credit_minor"),
    [(TOTAL, TOTAL, 0), (TOTAL - 500, TOTAL - 500, 0), (TOTAL + 500, TOTAL, 500)],
)
async def test_what_has_come_is_booked_and_nothing_else(
    tenant, database, clock, came_minor, paid_minor, credit_minor
):
    """46.29 are asked for: of 51.29, 46.29 pay the invoice and 5.00 are credit; 41.29 leave 5.00 due."""
    caller = Caller(database, clock)
    attempt = await asked(tenant, await an_invoice(tenant), caller)
    told = Told("succeeded", amount_minor=came_minor)
    await caller.deliver(event_of(caller, tenant, attempt, told))
    async with tenant.tx() as tx:
        row = await tx.fetch_row(BOOKS, tenant.id)
    assert row[1:3] == (paid_minor, TOTAL - paid_minor)
    assert row[10] == credit_minor


async def test_what_happened_first_may_come_last(tenant, database, clock):
    """A week later a late `processing` says nothing of a payment that has succeeded since."""
    caller = Caller(database, clock)
    attempt = await asked(tenant, await an_invoice(tenant), caller)
    late = event_of(caller, tenant, attempt, Told("processing"))
    await caller.deliver(event_of(caller, tenant, attempt, Told("succeeded")))
    clock.move_to(NOON + timedelta(days=7))
    await caller.deliver(late)
    async with tenant.tx() as tx:
        row = await tx.fetch_row(BOOKS, tenant.id)
    assert (row[0], row[6]) == ("paid", "succeeded")
