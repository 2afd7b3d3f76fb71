"""Is a repeated change made once, also when the repetitions come together?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import httpx2
import pytest
from fastapi import APIRouter, FastAPI
from starlette.responses import Response

from billwright.kernel.actor import system_actor
from billwright.kernel.ids import TenantId, new_id
from billwright.kernel.refusal import Category, RefusalCode
from billwright.runtime.clock import FixedClock
from billwright.runtime.db.database import Connection, Database
from billwright.runtime.db.tx import Tx
from billwright.surfaces.web.idempotency import Idempotent, once, request_digest
from billwright.surfaces.web.problems import install_problem_handlers
from billwright.surfaces.web.wire import RequestModel, ResponseModel, Text

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
not_today = RefusalCode("not_today", Category.CONFLICT, "Not today.")


async def no_outbox(_connection: Connection, tx: Tx) -> None:
    assert [*tx.events, *tx.audit_entries, *tx.jobs] == []


class Creation(RequestModel):
    name: Text
    outcome: Text = "made"
    seconds: int = 0


class Created(ResponseModel):
    id: UUID
    name: str


class Shop:
    """An application with one change, counted by the rows of a real table."""

    def __init__(self, database: Database, clock: FixedClock, tenants: list[TenantId]) -> None:
        self.database = database
        self.clock = clock
        self.tenants = tenants
        self.application = self._application()

    def client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=self.application, raise_app_exceptions=False),
            base_url="http://shop",
        )

    async def made(self) -> int:
        count = 0
        for tenant in self.tenants:
            async with self.database.tx(tenant, actor=system_actor("test"), cause="test") as tx:
                count += await tx.fetch_value("select count(*) from tenant_counter")
        return count

    async def keys(self) -> int:
        async with self.database.tx(
            self.tenants[0], actor=system_actor("test"), cause="test"
        ) as tx:
            count: int = await tx.fetch_value("select count(*) from idempotency_key")
            return count

    def _application(self) -> FastAPI:
        app = FastAPI()
        install_problem_handlers(app)
        router = APIRouter(prefix="/{tenant}")

        @router.post("/things", status_code=201, response_model=Created)
        async def create_thing(tenant: int, body: Creation, idempotent: Idempotent) -> Response:
            async def create(tx: Tx) -> Created:
                created = Created(id=new_id(), name=body.name)
                await tx.execute(
                    "insert into tenant_counter values ($1, $2, 1)", tx.tenant_id, str(created.id)
                )
                if body.seconds:
                    await asyncio.sleep(body.seconds / 10)
                if body.outcome == "refused":
                    raise not_today()
                if body.outcome == "broken":
                    raise RuntimeError("broken")
                return created

            opening = self.database.tx(
                self.tenants[tenant], actor=system_actor("test"), cause=idempotent.operation
            )
            return await once(opening, idempotent, work=create)

        @router.delete("/things", status_code=204)
        async def delete_things(tenant: int, idempotent: Idempotent) -> Response:
            async def delete(tx: Tx) -> None:
                await tx.execute("delete from tenant_counter where tenant_id = $1", tx.tenant_id)

            opening = self.database.tx(
                self.tenants[tenant], actor=system_actor("test"), cause=idempotent.operation
            )
            return await once(opening, idempotent, work=delete)

        app.include_router(router)
        return app


@pytest.fixture
def dsn(migrated_database: str) -> str:
    return migrated_database


@asynccontextmanager
async def shop(dsn: str) -> AsyncIterator[Shop]:
    tenants = [TenantId(new_id()) for _ in range(2)]
    clock = FixedClock(START)
    owner = await asyncpg.connect(dsn)
    for number, tenant in enumerate(tenants):
        async with owner.transaction():
            await owner.execute(f"set local billwright.tenant_id = '{tenant}'")
            await owner.execute(
                "insert into tenant values ($1, $2, 'T', $3)", tenant, f"t{number}", START
            )
    await owner.close()
    database = await Database.connect(dsn, clock=clock, outbox=no_outbox)
    try:
        yield Shop(database, clock, tenants)
    finally:
        await database.close()


def test_a_repetition_replays_the_first_answer_and_changes_nothing(dsn):
    async def scenario() -> None:
        async with shop(dsn) as made, made.client() as client:
            key = {"Idempotency-Key": "k-1"}
            first = await client.post("/0/things", json={"name": "a", "seconds": 0}, headers=key)
            again = await client.post(
                "/0/things",
                content=b' {"seconds":0,   "name":"a"}',
                headers=key | {"content-type": "application/json"},
            )

            assert first.status_code == again.status_code == 201
            assert first.content == again.content
            assert again.headers["content-type"] == first.headers["content-type"]
            assert "idempotent-replayed" not in first.headers
            assert again.headers["idempotent-replayed"] == "true"
            assert await made.made() == 1

    asyncio.run(scenario())


def test_without_a_key_nothing_is_remembered(dsn):
    async def scenario() -> None:
        async with shop(dsn) as made, made.client() as client:
            for _ in range(2):
                assert (await client.post("/0/things", json={"name": "a"})).status_code == 201
            assert await made.made() == 2
            assert await made.keys() == 0

    asyncio.run(scenario())


def test_the_same_key_with_another_request_is_a_conflict(dsn):
    async def scenario() -> None:
        async with shop(dsn) as made, made.client() as client:
            key = {"Idempotency-Key": "k-1"}
            await client.post("/0/things", json={"name": "a"}, headers=key)
            others = [
                await client.post("/0/things", json={"name": "b"}, headers=key),
                await client.post("/0/things?dry=1", json={"name": "a"}, headers=key),
                await client.delete("/0/things", headers=key),
            ]

            for other in others:
                assert other.status_code == 409
                assert other.json()["code"] == "idempotency_key_reused"
            assert await made.made() == 1

    asyncio.run(scenario())


def test_another_tenant_has_its_own_keys(dsn):
    async def scenario() -> None:
        async with shop(dsn) as made, made.client() as client:
            key = {"Idempotency-Key": "k-1"}
            first = await client.post("/0/things", json={"name": "a"}, headers=key)
            other = await client.post("/1/things", json={"name": "a"}, headers=key)

            assert other.status_code == 201
            assert other.json()["id"] != first.json()["id"]

    asyncio.run(scenario())


@pytest.mark.parametrize(("outcome", "status"), [("refused", 409), ("broken", 500)])
def test_what_changed_nothing_may_be_repeated(dsn, outcome, status):
    async def scenario() -> None:
        async with shop(dsn) as made, made.client() as client:
            key = {"Idempotency-Key": "k-1"}
            body = {"name": "a", "outcome": outcome}
            failed = await client.post("/0/things", json=body, headers=key)
            assert failed.status_code == status
            assert (await made.keys(), await made.made()) == (0, 0)

            retried = await client.post("/0/things", json={"name": "a"}, headers=key)
            assert retried.status_code == 201

    asyncio.run(scenario())


def test_repetitions_at_the_same_moment_make_one_change(dsn):
    async def scenario() -> None:
        async with shop(dsn) as made, made.client() as client:
            body = {"name": "a", "seconds": 2}
            answers = await asyncio.gather(
                *(
                    client.post("/0/things", json=body, headers={"Idempotency-Key": "k-1"})
                    for _ in range(6)
                )
            )

            assert {answer.status_code for answer in answers} == {201}
            assert len({answer.content for answer in answers}) == 1
            replayed = [answer.headers.get("idempotent-replayed") for answer in answers]
            assert sorted(replayed, key=str) == [None, *["true"] * 5]
            assert await made.made() == 1

    asyncio.run(scenario())


def test_a_repetition_does_the_work_when_the_first_fails_while_it_waits(dsn):
    async def scenario() -> None:
        async with shop(dsn) as made, made.client() as client:
            key = {"Idempotency-Key": "k-1"}
            failing = asyncio.create_task(
                client.post(
                    "/0/things", json={"name": "a", "outcome": "refused", "seconds": 3}, headers=key
                )
            )
            await asyncio.sleep(0.1)
            second = await client.post("/0/things", json={"name": "a"}, headers=key)

            assert (await failing).status_code == 409
            assert second.status_code == 201
            assert "idempotent-replayed" not in second.headers
            assert await made.made() == 1

    asyncio.run(scenario())


def test_a_repetition_that_waits_too_long_is_told_so(dsn, monkeypatch):
    async def scenario() -> None:
        async with shop(dsn) as made, made.client() as client:
            blocker = made.database.tx(made.tenants[0], actor=system_actor("test"), cause="test")
            async with blocker as tx:
                await tx.execute(
                    """insert into idempotency_key values ($1, 'k-1', '', 'x', null, null, $2, $2)""",
                    tx.tenant_id,
                    START,
                )
                response = await client.post(
                    "/0/things", json={"name": "a"}, headers={"Idempotency-Key": "k-1"}
                )

            assert response.status_code == 409
            assert response.json()["code"] == "idempotency_key_in_use"
            assert await made.made() == 0

    original = asyncpg.create_pool

    def impatient(*arguments: object, server_settings: dict[str, str], **options: object) -> object:
        return original(
            *arguments, server_settings=server_settings | {"lock_timeout": "100ms"}, **options
        )

    monkeypatch.setattr(asyncpg, "create_pool", impatient)
    asyncio.run(scenario())


def test_a_key_lives_for_a_day_at_least_and_may_then_be_used_again(dsn):
    async def scenario() -> None:
        async with shop(dsn) as made, made.client() as client:
            key = {"Idempotency-Key": "k-1"}
            first = await client.post("/0/things", json={"name": "a"}, headers=key)
            made.clock.move_to(START + timedelta(hours=24))
            kept = await client.post("/0/things", json={"name": "a"}, headers=key)
            made.clock.move_to(START + timedelta(hours=48))
            taken_over = await client.post("/0/things", json={"name": "b"}, headers=key)
            replayed = await client.post("/0/things", json={"name": "b"}, headers=key)

            assert kept.content == first.content
            assert taken_over.json()["name"] == "b"
            assert replayed.content == taken_over.content
            assert await made.made() == 2

    asyncio.run(scenario())


def test_an_answer_without_a_body_is_replayed_too(dsn):
    async def scenario() -> None:
        async with shop(dsn) as made, made.client() as client:
            key = {"Idempotency-Key": "k-1"}
            first = await client.delete("/0/things", headers=key)
            again = await client.delete("/0/things", headers=key)

            assert (first.status_code, first.content) == (204, b"")
            assert (again.status_code, again.content) == (204, b"")
            assert again.headers["idempotent-replayed"] == "true"

    asyncio.run(scenario())


@pytest.mark.parametrize("key", ["", "x" * 256, "k\xe9y", "tab\there"])
def test_keys_of_another_form_are_invalid(dsn, key):
    async def scenario() -> None:
        async with shop(dsn) as made, made.client() as client:
            response = await client.post(
                "/0/things",
                json={"name": "a"},
                headers=[(b"Idempotency-Key", key.encode("latin-1"))],
            )

            assert response.status_code == 422
            assert response.json()["code"] == "idempotency_key_invalid"
            assert await made.made() == 0

    asyncio.run(scenario())


def test_the_digest_sees_through_the_form_of_json_but_not_through_its_content():
    def digest(body: bytes) -> bytes:
        return request_digest(method="POST", path="/a", query=b"", body=body)

    assert digest(b'{"a":1,"b":[1,2]}') == digest(b' {"b": [1, 2], "a": 1}')
    assert digest(b'{"a":0.12345678901234567891}') != digest(b'{"a":0.12345678901234567892}')
    assert digest(b'{"a":[1,2]}') != digest(b'{"a":[2,1]}')
    assert digest(b"") != digest(b"{}")
    assert len({digest(body) for body in (b"\xff", b"[" * 5000, b'"\xff"')}) == 3
