"""Is everybody kept from asking too often, and nobody for what others do?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from billwright.runtime.db.database import Database
from billwright.runtime.queue.outbox import QueueOutbox
from tests.conftest import NOON
from tests.surfaces.manager_api.serving import an_application, calling

TOO_MANY = {"statusCode": 429, "message": "Too many requests, please try again later."}
LIMITED = {"RATE_LIMIT_ENABLED": "true", "RATE_LIMIT_LIMIT": "3", "RATE_LIMIT_TTL": "40"}
STORES = pytest.mark.parametrize("store", ["memory", "database"])


async def statuses(client, path: str, *, times: int, method: str = "GET", **asked) -> list[int]:
    return [(await client.request(method, path, **asked)).status_code for _ in range(times)]


@STORES
async def test_an_address_may_ask_a_route_so_often(tmp_path, database, tenant, store):
    application = an_application(tmp_path, database, RATE_LIMIT_STORE=store, **LIMITED)
    async with calling(application) as client:
        for remaining in ("2", "1", "0"):
            answer = await client.get("/tried")
            assert answer.status_code == 200
            assert answer.headers["x-ratelimit-limit"] == "3"
            assert answer.headers["x-ratelimit-remaining"] == remaining
            assert 0 < int(answer.headers["x-ratelimit-reset"]) <= 40
            assert "retry-after" not in answer.headers
        refused = await client.get("/tried")
        assert (refused.status_code, refused.json()) == (429, TOO_MANY)
        assert refused.headers["x-ratelimit-remaining"] == "0"
        assert 0 < int(refused.headers["retry-after"]) <= 40
        # Other methods and routes are counted apart, other values of a parameter are not.
        assert await statuses(client, "/tried", times=1, method="POST") == [200]
        assert [(await client.get(f"/tried/{n}")).status_code for n in range(4)] == [
            *[200] * 3,
            429,
        ]
    async with calling(application, "192.0.2.2") as client:
        assert await statuses(client, "/tried", times=1) == [200]


async def test_a_window_ends_with_its_time_however_often_it_was_tried(
    tmp_path, database, tenant, clock
):
    application = an_application(tmp_path, database, RATE_LIMIT_STORE="database", **LIMITED)
    async with calling(application) as client:
        assert await statuses(client, "/tried", times=3) == [200] * 3
        clock.move_to(NOON + timedelta(seconds=39))
        refused = await client.get("/tried")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        clock.move_to(NOON + timedelta(seconds=40))
        assert await statuses(client, "/tried", times=4) == [*[200] * 3, 429]


async def test_processes_count_together_in_the_database(
    tmp_path, database, migrated_database, registry, clock, tenant
):
    other = await Database.connect(
        migrated_database, outbox=QueueOutbox(registry), size=2, clock=clock
    )
    try:
        for store, expected in {"memory": 200, "database": 429}.items():
            variables = {**LIMITED, "RATE_LIMIT_STORE": store}
            async with calling(an_application(tmp_path, database, **variables)) as client:
                assert await statuses(client, "/tried", times=3) == [200] * 3
            async with calling(an_application(tmp_path, other, **variables)) as client:
                assert await statuses(client, "/tried", times=1) == [expected]
    finally:
        await other.close()


@STORES
async def test_tenants_are_counted_apart(tmp_path, database, tenant, other_tenant, store):
    application = an_application(
        tmp_path, database, RATE_LIMIT_STORE=store, TENANTS="other", **LIMITED
    )
    async with calling(application) as client:
        assert await statuses(client, "/tried", times=4) == [*[200] * 3, 429]
        elsewhere = {"X-Tenant": "other"}
        assert await statuses(client, "/tried", times=4, headers=elsewhere) == [*[200] * 3, 429]


async def test_a_tenant_without_rows_is_counted_in_the_process(tmp_path, database):
    application = an_application(tmp_path, database, RATE_LIMIT_STORE="database", **LIMITED)
    async with calling(application) as client:  # `default` is not there
        assert await statuses(client, "/tried", times=4) == [*[200] * 3, 429]


async def test_whoever_watches_the_server_is_not_limited(tmp_path):
    async with calling(an_application(tmp_path, **LIMITED)) as client:
        assert await statuses(client, "/health", times=9) == [200] * 9


async def test_without_limits_nothing_is_counted(tmp_path):
    async with calling(an_application(tmp_path, RATE_LIMIT_LIMIT="1")) as client:
        assert await statuses(client, "/tried", times=3) == [200] * 3
        assert "x-ratelimit-limit" not in (await client.get("/tried")).headers


async def test_who_asks_too_often_is_not_even_looked_up(tmp_path):
    body = {"email": "a@example.com"}
    async with calling(an_application(tmp_path, **LIMITED)) as client:
        answers = [await client.post("/closed", json=body) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
        assert answers[0].headers["x-ratelimit-remaining"] == "2"
        # What the body lacks is not told either.
        assert (await client.post("/closed", json={})).status_code == 429


@STORES
async def test_one_person_is_not_tried_from_many_addresses(tmp_path, database, tenant, store):
    application = an_application(tmp_path, database, RATE_LIMIT_STORE=store)

    async def tried(number: int, email: str) -> int:
        async with calling(application, f"198.51.100.{number}") as client:
            answer = await client.post("/guess", json={"email": email})
        assert answer.is_success or answer.json() == TOO_MANY
        assert answer.is_success or 0 < int(answer.headers["retry-after"]) <= 900
        return answer.status_code

    spellings = ("ann@example.com", "Ann@Example.com ")
    assert [await tried(n, spellings[n % 2]) for n in range(21)] == [*[200] * 20, 429]
    assert await tried(30, "bob@example.com") == 200


@pytest.mark.parametrize(
    ("one", "other", "the_same"),
    [
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
async def test_who_has_many_addresses_is_one(tmp_path, one, other, the_same):
    application = an_application(tmp_path, **LIMITED)
    async with calling(application, one) as client:
        assert await statuses(client, "/tried", times=3) == [200] * 3
    async with calling(application, other) as client:
        assert await statuses(client, "/tried", times=1) == [429 if the_same else 200]


@pytest.mark.parametrize("enabled", ["true", "false"])
@pytest.mark.parametrize(
    "path",
    [
        "/auth/login",
        "/auth/token",
        "/auth/register",
        "/auth/confirm-email",
        "/auth/request-password-reset",
        "/auth/reset-password",
    ],
)
async def test_what_can_be_guessed_is_always_limited(tmp_path, database, tenant, path, enabled):
    application = an_application(
        tmp_path, database, RATE_LIMIT_ENABLED=enabled, RATE_LIMIT_LIMIT="1000"
    )
    async with calling(application) as client:
        answers = [await client.post(path, json={}) for _ in range(11)]
    assert {answer.status_code for answer in answers[:10]} == {400}
    assert answers[0].headers["x-ratelimit-limit"] == "10"
    assert (answers[10].status_code, answers[10].json()) == (429, TOO_MANY)
    assert 0 < int(answers[10].headers["retry-after"]) <= 60
