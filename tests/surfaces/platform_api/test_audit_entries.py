"""Can a platform find out who did what?"""

from __future__ import annotations

from dataclasses import replace

from billwright.features.accounts.operations.create_account import CreateAccount, create_account
from billwright.kernel.actor import Actor, ActorKind, ActorToken
from billwright.kernel.ids import new_id
from billwright.runtime.telemetry.metrics import Metrics
from billwright.surfaces.web.request_context import RequestContext
from tests.surfaces.platform_api.conftest import client_of, key_of
from tests.surfaces.platform_api.requests import ACCOUNT, created, got


async def test_what_a_request_did_is_found_by_its_id(application, tenant, client, other_client):
    request = {"X-Request-Id": "crm-import-7"}
    served = RequestContext(application, metrics=Metrics())
    async with client_of(served, await key_of(tenant)) as importer:
        answer = await importer.post("/accounts", json=ACCOUNT, headers=request)
    account = answer.json()
    [entry] = (await got(client, "/audit-entries", request_id="crm-import-7"))["data"]
    assert (entry["action"], entry["cause"]) == ("account.create", "create_account")
    assert (entry["subject_type"], entry["subject_id"]) == ("account", account["id"])
    assert (entry["actor"]["kind"], entry["actor"]["name"]) == ("api_key", "platform")
    assert (entry["address"], entry["request_id"]) == ("127.0.0.1", "crm-import-7")
    assert entry["recorded_at"].endswith("Z")
    assert (await got(other_client, "/audit-entries", request_id="crm-import-7"))["data"] == []
    assert (await got(other_client, "/audit-entries", subject_id=account["id"]))["data"] == []


async def test_a_key_that_is_created_or_revoked_is_recorded_with_its_origin(
    application, tenant, client
):
    served = RequestContext(application, metrics=Metrics())
    body = {"name": "reports", "scopes": ["billing:read"]}
    async with client_of(served, await key_of(tenant)) as admin:
        made = (await admin.post("/api-keys", json=body)).json()
        await admin.post(f"/api-keys/{made['id']}/revoke")
    entries = (await got(client, "/audit-entries", subject_id=made["id"]))["data"]
    assert [entry["action"] for entry in entries] == ["api_key.revoke", "api_key.create"]
    for entry in entries:
        assert (entry["actor"]["name"], entry["address"]) == ("platform", "127.0.0.1")
        assert entry["request_id"] is not None
        assert made["key"] not in str(entry)


async def test_the_log_is_read_page_by_page_and_narrowed_down(client):
    for number in range(3):
        await created(client, "/accounts", {**ACCOUNT, "external_id": f"crm-{number}"})
    first = await got(client, "/audit-entries", action="account.", limit=2)
    rest = await got(client, "/audit-entries", action="account.", cursor=first["next_cursor"])
    entries = first["data"] + rest["data"]
    assert [entry["action"] for entry in entries] == ["account.create"] * 3
    assert not rest["has_more"]
    newest = entries[0]["recorded_at"]
    later = await got(client, "/audit-entries", recorded_after=newest, action="account.")
    assert later["data"][0] == entries[0]
    assert (await got(client, "/audit-entries", recorded_before="2020-01-01T00:00:00Z"))[
        "data"
    ] == []
    by_key = await got(client, "/audit-entries", actor_id=entries[0]["actor"]["id"])
    assert len(by_key["data"]) == 3


async def test_what_a_program_did_names_its_user_and_its_token(tenant, client, other_client):
    user = Actor(ActorKind.USER, "ada@rare.example", new_id())
    program = replace(user, token=ActorToken(new_id(), "Sync"))
    for actor in (user, program):
        async with tenant.database.tx(tenant.id, actor=actor, cause="test") as tx:
            await create_account(tx, CreateAccount(name="Riverbank Books"))
    entries = (await got(client, "/audit-entries", actor_id=str(user.id)))["data"]
    assert [one["actor"] for one in entries] == [
        {
            "kind": "user",
            "name": user.name,
            "id": str(user.id),
            "token": None if actor.token is None else {"id": str(actor.token.id), "name": "Sync"},
        }
        for actor in (program, user)
    ]
    assert (await got(other_client, "/audit-entries", actor_id=str(user.id)))["data"] == []


async def test_a_filter_that_cannot_be_is_refused(client):
    for asked in ({"request_id": "\x00"}, {"action": "' or 1=1"}, {"actor_id": "ada"}):
        assert (await client.get("/audit-entries", params=asked)).status_code == 422
