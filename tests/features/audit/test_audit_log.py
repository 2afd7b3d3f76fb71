"""Can it be found out who did what, and can a tenant find out nothing of another?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from billwright.features.audit.model import AuditQuery, AuditRecord
from billwright.features.audit.operations import export_audit_log as exporting
from billwright.features.audit.operations.export_audit_log import export_audit_log
from billwright.features.audit.sql.reads import list_entries
from billwright.kernel.actor import Actor, ActorKind, ActorToken
from billwright.kernel.ids import new_id
from billwright.runtime.telemetry.context import bound, client_address
from tests.conftest import Tenant

ADA = Actor(ActorKind.USER, "ada@northlight.example", new_id())
REPORTING = ActorToken(new_id(), "Reporting")
ADAS_PROGRAM = Actor(ActorKind.USER, ADA.name, ADA.id, REPORTING)
EVE = Actor(ActorKind.USER, "eve@northlight.example", new_id())


async def done(
    tenant: Tenant, actor: Actor, action: str, subject_id: UUID | None = None, request: str = "r-1"
) -> None:
    """In a task of its own, as a request is."""

    async def requested() -> None:
        client_address.set("192.0.2.7")
        with bound(request_id=request):
            async with tenant.database.tx(tenant.id, actor=actor, cause="test") as tx:
                tx.audit(action, subject_type="user", subject_id=subject_id or new_id())

    await asyncio.create_task(requested())


async def found(tenant: Tenant, limit: int = 100, **wanted: object) -> Sequence[AuditRecord]:
    async with tenant.tx() as tx:
        return await list_entries(tx, AuditQuery(**wanted), before=None, limit=limit)


def actions(records: Sequence[AuditRecord]) -> list[str]:
    return [record.action for record in records]


async def test_an_entry_says_who_did_what_to_which_thing_and_from_where(tenant):
    subject = new_id()
    await done(tenant, ADA, "user.lock", subject, request="r-17")
    [entry] = await found(tenant, action="user.lock")
    assert (entry.actor, entry.cause) == (ADA, "test")
    assert (entry.subject_type, entry.subject_id) == ("user", subject)
    assert (entry.address, entry.request_id) == ("192.0.2.7", "r-17")
    assert entry.occurred_at == tenant.database.clock.now()


async def test_an_entry_says_which_token_of_the_user_it_was(tenant, other_tenant):
    await done(tenant, ADA, "user.lock")
    await done(tenant, ADAS_PROGRAM, "user.unlock")
    by_token, in_person = await found(tenant, actor_id=ADA.id)
    assert (by_token.action, by_token.actor) == ("user.unlock", ADAS_PROGRAM)
    assert (in_person.action, in_person.actor) == ("user.lock", ADA)
    assert await found(other_tenant, actor_id=ADA.id) == []


async def test_each_filter_leaves_what_it_asks_for_newest_first(tenant):
    subject = new_id()
    await done(tenant, ADA, "user.lock", subject, request="r-1")
    await done(tenant, ADA, "token.create", request="r-2")
    await done(tenant, EVE, "user.unlock", subject, request="r-3")
    await done(tenant, EVE, "user_agent.note", request="r-3")
    every = await found(tenant)
    assert actions(every) == [
        *("user_agent.note", "user.unlock", "token.create", "user.lock", "tenant.create")
    ]
    assert actions(await found(tenant, action="user.")) == ["user.unlock", "user.lock"]
    assert actions(await found(tenant, action="user.", limit=1)) == ["user.unlock"]
    assert actions(await found(tenant, action="user.", actor_id=ADA.id)) == ["user.lock"]
    assert actions(await found(tenant, action="user")) == []
    assert actions(await found(tenant, action="u%.")) == []
    assert actions(await found(tenant, actor_id=ADA.id)) == ["token.create", "user.lock"]
    assert actions(await found(tenant, subject_id=subject)) == ["user.unlock", "user.lock"]
    assert actions(await found(tenant, request_id="r-3")) == ["user_agent.note", "user.unlock"]
    since, until = every[3].recorded_at, every[3].recorded_at + timedelta(milliseconds=1)
    assert "user.lock" in actions(await found(tenant, since=since, until=until))
    assert "user.lock" in actions(await found(tenant, action="user.", since=since, until=until))
    assert "user.lock" not in actions(await found(tenant, since=until))
    assert "user.lock" not in actions(await found(tenant, until=since))


@pytest.mark.parametrize("action", [None, "user.", "user.lock"])
async def test_another_tenants_entries_are_invisible(tenant, other_tenant, action):
    subject = new_id()
    await done(tenant, ADA, "user.lock", subject)
    assert await found(other_tenant, action=action, subject_id=subject) == []
    assert await found(other_tenant, action=action, actor_id=ADA.id) == []
    assert await found(other_tenant, action=action, request_id="r-1") == []
    assert len(await found(tenant, action=action, actor_id=ADA.id)) == 1


@pytest.mark.parametrize(
    "change", ["update audit_entry set actor_name = 'x'", "delete from audit_entry"]
)
async def test_an_entry_cannot_be_changed_or_deleted(tenant, change):
    await done(tenant, ADA, "user.lock")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with tenant.tx() as tx:
            await tx.execute(change)
    assert len(await found(tenant, action="user.lock")) == 1


async def test_an_export_brings_every_entry_once_in_order_and_is_recorded_first(
    tenant, monkeypatch
):
    monkeypatch.setattr(exporting, "_AT_A_TIME", 3)
    for number in range(7):
        await done(tenant, ADA, "user.update", request=f"r-{number}")
    query = AuditQuery(action="user.")
    sizes, taken = [], []
    async for batch in await export_audit_log(tenant.tx, query):
        if not taken:
            await done(tenant, EVE, "user.lock")  # is newer than what is being read
        sizes.append(len(batch))
        taken += batch
    assert sizes == [3, 3, 1]
    assert [entry.request_id for entry in taken] == [f"r-{n}" for n in reversed(range(7))]
    [export] = await found(tenant, action="audit_log.export")
    assert (export.subject_id, export.details) == (tenant.id, {"action": "user."})


async def test_an_export_is_recorded_even_if_nobody_reads_it(tenant):
    async with aclosing(await export_audit_log(tenant.tx, AuditQuery())):
        pass
    assert len(await found(tenant, action="audit_log.export")) == 1
