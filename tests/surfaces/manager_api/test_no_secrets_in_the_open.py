"""Can anybody read a password, a code or a token in a row, a log line or an answer?

A day of signing in, with secrets that are easy to recognize; then everything that was written is searched
for them.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
import structlog

from billwright.features.identity.model import CodePurpose
from billwright.features.identity.operations.create_first_admin import create_first_admin
from billwright.runtime.telemetry.logs import configure_logs
from tests.conftest import Tenant
from tests.features.payments.leaks import Leak, Watch
from tests.surfaces.manager_api.people import ADA, an_installation
from tests.surfaces.manager_api.recording import AUDIT_LOG, EVE, Person, a_code, a_user


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    configure_logs("json", "debug", stream=stream)
    yield stream
    root.handlers = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


async def test_a_day_of_signing_in_leaves_no_secret_where_it_can_be_read(
    tenant: Tenant, tmp_path: Path, migrated_database: str, log: io.StringIO
):
    passwords = [f"recognizable password {word}" for word in ("one", "two", "three", "wrong")]
    one, two, three, wrong = passwords
    admin = await create_first_admin(tenant.tx, email=ADA, password=one)
    eve = await a_user(tenant, one)
    person = Person(an_installation(tmp_path, tenant.database), tenant)
    codes = [await a_code(tenant, eve.id, CodePurpose.CONFIRM_EMAIL)]
    await person.post("/auth/confirm-email", {"email": EVE, "code": codes[0]})
    await person.post("/auth/request-password-reset", {"email": EVE})
    codes.append(await a_code(tenant, eve.id, CodePurpose.RESET_PASSWORD))
    body = {"email": EVE, "code": codes[1], "newPassword": two}
    await person.post("/auth/reset-password", body)
    await person.post("/auth/login", {"email": EVE, "password": wrong}, status=401)
    await person.post("/auth/register", {"email": EVE, "password": three}, status=201)
    await person.sign_in(EVE, two)
    made = await person.post(
        "/auth/tokens", {"name": "Reports", "scopes": ["invoices:read"]}, status=201, key="token-1"
    )
    async with person.nobody():
        exchanged = await person.post("/auth/token", {"token": made["token"]})
        await person.post("/auth/token", {"token": made["token"] + "x"}, status=401)
    change = {"currentPassword": two, "newPassword": three, "newPasswordConfirmation": three}
    changed = await person.post("/auth/change-password", change)
    await person.sign_in(ADA, one)
    await person.ask("POST", f"/users/{eve.id}", {"password": wrong})
    await person.ask("GET", AUDIT_LOG, limit=100)
    await person.ask("GET", f"{AUDIT_LOG}/export")

    watch = Watch({f"password {number}": text for number, text in enumerate(passwords)})
    handed_out = {
        "/auth/tokens": {"token": made["token"]},
        "/auth/token": {"session of the token": exchanged["access_token"]},
        "/auth/change-password": {"session": changed["access_token"]},
    }
    for secrets in handed_out.values():
        watch.secrets |= secrets
    async with tenant.tx() as tx:
        hashes = await tx.fetch("select password_hash as text from app_user")
    # SHA-256 is how a token of 256 random bits is meant to be stored.
    found = await watch.leaks_in_database(migrated_database)
    assert found == {Leak("token", "public.personal_access_token")}
    watch.secrets |= {row["text"]: row["text"] for row in hashes}
    assert watch.leaks_in(log.getvalue(), place="log") == set()
    watch.answers += person.answers
    meant = {path: name for path, secrets in handed_out.items() for name in secrets}
    assert watch.leaks_in_answers(meant) == set()
    # A code is too short to be looked for in other forms than its own.
    rows = await everything_written(migrated_database)
    for code in codes:
        assert f'"{code}"' not in rows
        assert code not in log.getvalue()
    assert str(admin.id) in rows
    assert "/auth/login" in log.getvalue()


async def everything_written(dsn: str) -> str:
    """What events, audit entries, jobs and messages hold."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = [
            row["text"]
            for table in ("event", "audit_entry", "notification_request", "queue.pgqueuer")
            for row in await connection.fetch(f"select to_jsonb(t)::text as text from {table} t")
        ]
    finally:
        await connection.close()
    return "\n".join(rows)
