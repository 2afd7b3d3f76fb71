"""Is a finding for a person kept once, and what they decide for good?"""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from billwright.features.payments.events import ReviewRequested
from billwright.features.payments.model import NewReviewTask, ReviewKind, ReviewState
from billwright.features.payments.operations.open_review_task import open_review_task
from billwright.features.payments.operations.resolve_review_task import (
    ResolveReviewTask,
    resolve_review_task,
)
from billwright.features.payments.sql.reads_reviews import (
    is_under_review,
    list_review_tasks,
    review_task_by_id,
)
from billwright.kernel.refusal import Refusal

SUBJECT = uuid4()


def a_finding(dedup_key: str = "late_payment:1", **changes) -> NewReviewTask:
    values = {
        "kind": ReviewKind.LATE_PAYMENT,
        "subject_type": "payment",
        "subject_id": SUBJECT,
        "account_id": None,
        "details": {"amount_minor": 4629, "invoice": {"number": "INV-2026-00001"}},
        "dedup_key": dedup_key,
    }
    return NewReviewTask(**{**values, **changes})


async def found(tenant, **filters):
    async with tenant.tx() as tx:
        return await list_review_tasks(tx, before=None, limit=10, **filters)


async def test_the_same_finding_is_one_task_and_one_event(tenant):
    async with tenant.tx() as tx:
        assert await open_review_task(tx, a_finding())
        assert not await open_review_task(tx, a_finding())
        [(_, _, event)] = tx.events
        assert isinstance(event, ReviewRequested)
        assert (event.kind, event.about_type, event.about_id) == (
            "late_payment",
            "payment",
            SUBJECT,
        )
    async with tenant.tx() as tx:
        assert not await open_review_task(tx, a_finding())
        assert tx.events == []
    [task] = await found(tenant)
    assert task.details == {"amount_minor": 4629, "invoice": {"number": "INV-2026-00001"}}
    assert (task.state, task.subject_id) == (ReviewState.OPEN, SUBJECT)


async def test_two_that_find_it_at_once_make_one_task(tenant):
    async def find_it_too() -> bool:
        async with tenant.tx() as tx:
            return await open_review_task(tx, a_finding(details={}))

    async with tenant.tx() as tx:
        assert await open_review_task(tx, a_finding())
        second = asyncio.create_task(find_it_too())
        await asyncio.sleep(0.1)
        assert not second.done()  # it waits to see whether the first one is kept
    assert not await second
    assert len(await found(tenant)) == 1


async def test_what_a_person_decided_stays_and_is_not_asked_again(tenant, clock):
    async with tenant.tx() as tx:
        await open_review_task(tx, a_finding())
    [task] = await found(tenant)
    async with tenant.tx() as tx:
        resolved = await resolve_review_task(tx, ResolveReviewTask(task.id, "sent back"))
    async with tenant.tx() as tx:
        again = await resolve_review_task(tx, ResolveReviewTask(task.id, "changed my mind"))
        assert tx.audit_entries == []
        assert not await open_review_task(tx, a_finding())
        assert not await is_under_review(tx, "late_payment:1")
    assert again == resolved
    assert (resolved.resolution, resolved.resolved_by) == ("sent back", "test")
    assert resolved.resolved_at == clock.now()


async def test_tasks_are_found_by_kind_state_and_account(tenant):
    async with tenant.tx() as tx:
        await open_review_task(tx, a_finding("1"))
        await open_review_task(tx, a_finding("2", kind=ReviewKind.DISPUTE_OPENED))
    newest, oldest = await found(tenant)
    async with tenant.tx() as tx:
        await resolve_review_task(tx, ResolveReviewTask(oldest.id, "done"))
    assert [one.id for one in await found(tenant, kind=ReviewKind.DISPUTE_OPENED)] == [newest.id]
    assert [one.id for one in await found(tenant, state=ReviewState.RESOLVED)] == [oldest.id]
    assert await found(tenant, account_id=uuid4()) == []
    async with tenant.tx() as tx:
        [after] = await list_review_tasks(tx, before=newest.id, limit=10)
    assert after.id == oldest.id


async def test_another_tenants_task_is_invisible_and_stays_as_it_is(tenant, other_tenant):
    async with other_tenant.tx() as tx:
        await open_review_task(tx, a_finding())
    [theirs] = await found(other_tenant)
    async with tenant.tx() as tx:
        for refused in (
            review_task_by_id(tx, theirs.id),
            resolve_review_task(tx, ResolveReviewTask(theirs.id, "not mine")),
        ):
            with pytest.raises(Refusal) as refusal:
                await refused
            assert refusal.value.code == "review_task_unknown"
        # A key of theirs is none of ours.
        assert await open_review_task(tx, a_finding())
    assert await found(other_tenant) == [theirs]
