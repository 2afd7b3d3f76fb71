"""Is what matters for security recorded, by whom and from where?"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from uuid import UUID

import pytest
from starlette.types import ASGIApp

from billwright.features.audit.model import AuditQuery, AuditRecord
from billwright.features.audit.sql.reads import list_entries
from billwright.features.identity.model import CodePurpose, User
from billwright.kernel.actor import ActorKind, ActorToken
from tests.conftest import Tenant
from tests.surfaces.manager_api.people import ADA, PASSWORD, an_installation
from tests.surfaces.manager_api.recording import (
    ADDRESS,
    AUDIT_LOG,
    EVE,
    Person,
    a_code,
    a_user,
    an_admin,
)


@pytest.fixture
def manager(tenant: Tenant, tmp_path: Path) -> ASGIApp:
    """The manager API where people sign in with passwords."""
    return an_installation(tmp_path, tenant.database)


@pytest.fixture
async def ada(manager: ASGIApp, tenant: Tenant) -> Person:
    """An administrator who has signed in."""
    await an_admin(tenant)
    person = Person(manager, tenant)
    await person.sign_in(ADA)
    return person


async def only_entry(person: Person, action: str, subject_id: UUID) -> AuditRecord:
    [entry] = await person.recorded()
    assert (entry.action, entry.subject_id) == (action, subject_id)
    assert (entry.address, entry.request_id) == (ADDRESS, person.asked)
    return entry


async def of_user(person: Person, user: User, action: str, subject_id: UUID) -> AuditRecord:
    entry = await only_entry(person, action, subject_id)
    assert (entry.actor.kind, entry.actor.id, entry.actor.name) == (
        ActorKind.USER,
        user.id,
        user.email,
    )
    return entry


async def of_visitor(person: Person, action: str, subject_id: UUID) -> AuditRecord:
    entry = await only_entry(person, action, subject_id)
    assert (entry.actor.kind, entry.actor.name) == (ActorKind.SYSTEM, "visitor")
    return entry


async def test_what_is_done_about_signing_in_is_recorded(manager: ASGIApp, tenant: Tenant):
    admin, eve = await an_admin(tenant), await a_user(tenant)
    person = Person(manager, tenant)
    wrong = {"email": EVE, "password": "wrong horse battery"}
    await person.post("/auth/login", wrong, status=401)
    failed = await of_visitor(person, "user.sign_in_failed", eve.id)
    assert failed.details == {"email": EVE, "code": "sign_in_failed"}
    await person.post("/auth/login", {**wrong, "email": "no@rare.example"}, status=401)
    await of_visitor(person, "user.sign_in_failed", tenant.id)

    confirmation = await a_code(tenant, eve.id, CodePurpose.CONFIRM_EMAIL)
    await person.post("/auth/confirm-email", {"email": EVE, "code": "AAAAAA"}, status=400)
    await of_visitor(person, "user.code_refused", eve.id)
    await person.post("/auth/confirm-email", {"email": EVE, "code": confirmation})
    await of_visitor(person, "user.confirm_email", eve.id)

    await person.post("/auth/request-password-reset", {"email": EVE})
    await of_visitor(person, "user.request_password_reset", eve.id)
    reset = await a_code(tenant, eve.id, CodePurpose.RESET_PASSWORD)
    body = {"email": EVE, "code": reset, "newPassword": "a whole new sentence"}
    await person.post("/auth/reset-password", body)
    await of_visitor(person, "user.reset_password", eve.id)

    await person.sign_in(EVE, "a whole new sentence")
    await of_visitor(person, "user.sign_in", eve.id)
    change = {
        "currentPassword": "a whole new sentence",
        "newPassword": PASSWORD,
        "newPasswordConfirmation": PASSWORD,
    }
    guessed = change | {"currentPassword": "a whole other sentence"}
    await person.post("/auth/change-password", guessed, status=401)
    await of_user(person, eve, "user.change_password_failed", eve.id)
    await person.post("/auth/change-password", change)
    await of_user(person, eve, "user.change_password", eve.id)
    await person.sign_in(EVE)
    await person.ask("POST", "/auth/logout", {}, status=204)
    await of_user(person, eve, "session.end", eve.id)
    await person.sign_in(ADA)
    await person.ask("POST", "/auth/logout", {"invalidateAllSessions": True}, status=204)
    await of_user(person, admin, "session.end_all", admin.id)


async def test_what_an_administrator_does_to_users_is_recorded(ada: Person, tenant: Tenant):
    eve = {"email": EVE, "password": PASSWORD}
    made = await ada.post("/users", eve, status=201)
    entry = await only_entry(ada, "user.create", UUID(made["id"]))
    assert (entry.actor.kind, entry.actor.name) == (ActorKind.USER, ADA)
    path, eve_id = f"/users/{made['id']}", UUID(made["id"])
    await ada.ask("POST", path, {"role": "admin"})
    entry = await only_entry(ada, "user.update", eve_id)
    assert (entry.details["former_role"], entry.details["role"]) == ("user", "admin")
    await ada.ask("POST", path, {"password": "a whole new sentence"})
    entry = await only_entry(ada, "user.update", eve_id)
    assert entry.details["changed"] == ["password"]
    await ada.ask("POST", f"{path}/lock", status=201)
    assert (await only_entry(ada, "user.lock", eve_id)).actor.name == ADA
    async with ada.nobody():
        again = {"email": EVE, "password": "a whole new sentence"}
        await ada.post("/auth/login", again, status=401)
        failed = await of_visitor(ada, "user.sign_in_failed", eve_id)
        assert failed.details["code"] == "user_locked"
    await ada.ask("POST", f"{path}/unlock", status=201)
    await only_entry(ada, "user.unlock", eve_id)
    await ada.ask("DELETE", path, status=204)
    assert (await only_entry(ada, "user.delete", eve_id)).details["email"] == EVE


async def test_what_becomes_of_tokens_is_recorded(ada: Person, tenant: Tenant):
    body = {"name": "Reporting", "scopes": ["invoices:read"]}
    made = await ada.post("/auth/tokens", body, status=201)
    token_id, path = UUID(made["id"]), f"/auth/tokens/{made['id']}"
    assert (await only_entry(ada, "token.create", token_id)).actor.name == ADA
    await ada.ask("PATCH", path, {**body, "name": "Reports"})
    assert (await only_entry(ada, "token.change", token_id)).details["former_name"] == "Reporting"
    async with ada.nobody():
        await ada.post("/auth/token", {"token": made["token"]})
        await of_visitor(ada, "token.exchange", token_id)
    await ada.ask("DELETE", path, status=204)
    await only_entry(ada, "token.revoke", token_id)
    async with ada.nobody():
        await ada.post("/auth/token", {"token": made["token"]}, status=401)
        await of_visitor(ada, "token.exchange_failed", token_id)
        await ada.post("/auth/token", {"token": "fp_pat_of_nobody"}, status=401)
        await of_visitor(ada, "token.exchange_failed", tenant.id)


async def test_what_a_program_did_names_its_user_and_its_token(
    manager: ASGIApp, ada: Person, tenant: Tenant
):
    eve = await a_user(tenant)
    body = {"name": "Sync", "scopes": ["users:admin", "billing_admin:read"]}
    made = await ada.post("/auth/tokens", body, status=201)
    program = Person(manager, tenant)
    await program.come_with(made["token"])
    await program.post(f"/users/{eve.id}/lock", status=201)
    [entry] = await program.recorded()
    assert entry.actor.token == ActorToken(UUID(made["id"]), "Sync")
    await ada.ask("PATCH", f"/auth/tokens/{made['id']}", {**body, "name": "Old sync"})
    await ada.post(f"/users/{eve.id}/unlock", status=201)
    asked = {"actorId": str(entry.actor.id), "subjectId": str(eve.id)}
    seen = (await ada.ask("GET", AUDIT_LOG, **asked)).json()["items"]
    token = {"id": made["id"], "name": "Sync"}
    assert [(one["action"], one["actor"]["token"]) for one in seen] == [
        ("user.unlock", None),
        ("user.lock", token),
    ]
    assert {one["actor"]["name"] for one in seen} == {ADA}
    table = (await program.ask("GET", f"{AUDIT_LOG}/export", **asked)).text
    rows = list(csv.DictReader(io.StringIO(table, newline="")))
    assert [(row["tokenId"], row["tokenName"]) for row in rows] == [("", ""), (made["id"], "Sync")]
    assert made["token"] not in table


async def test_the_log_is_read_page_by_page_and_narrowed_down(ada: Person, tenant: Tenant):
    eve = await a_user(tenant)
    for change in ("lock", "unlock", "lock"):
        await ada.post(f"/users/{eve.id}/{change}", status=201)
    first = (await ada.ask("GET", AUDIT_LOG, subjectId=str(eve.id), limit=2)).json()
    assert [one["action"] for one in first["items"]] == ["user.lock", "user.unlock"]
    asked = {"subjectId": str(eve.id), "cursor": first["nextCursor"]}
    rest = (await ada.ask("GET", AUDIT_LOG, **asked)).json()
    assert [one["action"] for one in rest["items"]] == ["user.lock", "user.create"]
    assert rest["nextCursor"] is None
    newest = first["items"][0]
    actor_id = newest["actor"]["id"]
    assert newest["actor"] == {"kind": "user", "name": ADA, "id": actor_id, "token": None}
    assert (newest["address"], newest["subjectType"]) == (ADDRESS, "user")
    by_id = (await ada.ask("GET", AUDIT_LOG, correlationId=newest["correlationId"])).json()
    assert by_id["items"] == [newest]
    later = (
        await ada.ask("GET", AUDIT_LOG, **{"from": newest["recordedAt"], "action": "user."})
    ).json()
    assert later["items"][0] == newest
    assert (await ada.ask("GET", AUDIT_LOG, until="2020-01-01")).json()["items"] == []
    for wrong in ({"limit": 101}, {"cursor": "x"}, {"actorId": "ada"}, {"from": "yesterday"}):
        await ada.ask("GET", AUDIT_LOG, status=400, **wrong)


async def test_an_export_is_a_file_and_is_recorded_itself(ada: Person, tenant: Tenant):
    eve = await a_user(tenant)
    await ada.post(f"/users/{eve.id}/lock", status=201)
    answer = await ada.ask("GET", f"{AUDIT_LOG}/export", action="user.", format="csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="audit-log.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [row["action"] for row in rows] == [
        *("user.lock", "user.create", "user.sign_in", "user.create")
    ]
    assert (rows[0]["actorName"], rows[0]["address"]) == (ADA, ADDRESS)
    entry = await only_entry(ada, "audit_log.export", tenant.id)
    assert (entry.actor.name, entry.details) == (ADA, {"action": "user."})
    lines = await ada.ask("GET", f"{AUDIT_LOG}/export", action="user.", format="ndjson")
    assert lines.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line)["id"] for line in lines.text.splitlines()] == [
        row["id"] for row in rows
    ]
    await ada.ask("GET", f"{AUDIT_LOG}/export", format="xlsx", status=400)


async def test_the_log_is_for_administrators(manager: ASGIApp, ada: Person, tenant: Tenant):
    eve = await a_user(tenant)
    code = await a_code(tenant, eve.id, CodePurpose.CONFIRM_EMAIL)
    person = Person(manager, tenant)
    await person.post("/auth/confirm-email", {"email": EVE, "code": code})
    for path in (AUDIT_LOG, f"{AUDIT_LOG}/export"):
        await person.ask("GET", path, status=401)
    await person.sign_in(EVE)
    for path in (AUDIT_LOG, f"{AUDIT_LOG}/export"):
        await person.ask("GET", path, status=403)
        assert await person.recorded() == []


async def test_an_administrator_sees_nothing_of_another_tenant(
    manager: ASGIApp, ada: Person, tenant: Tenant, other_tenant: Tenant
):
    await an_admin(other_tenant)
    stranger = Person(manager, other_tenant, "other")
    await stranger.sign_in(ADA)
    seen = (await stranger.ask("GET", AUDIT_LOG, limit=100)).json()["items"]
    assert [one["action"] for one in seen] == ["user.sign_in", "user.create", "tenant.create"]
    async with tenant.tx() as tx:
        [mine] = await list_entries(tx, AuditQuery(action="user.sign_in"), before=None, limit=9)
    assert str(mine.id) not in {one["id"] for one in seen}
    asked = {"correlationId": mine.request_id}
    assert (await stranger.ask("GET", AUDIT_LOG, **asked)).json()["items"] == []
    exported = await stranger.ask("GET", f"{AUDIT_LOG}/export", format="ndjson", **asked)
    assert exported.text == ""
