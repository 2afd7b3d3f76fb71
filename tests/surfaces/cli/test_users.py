"""Can an operator let the first administrator in, and keep a user out?"""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import pytest
from typer.testing import CliRunner

from billwright.entrypoints.command_line import main
from billwright.features.identity.model import Role, User
from billwright.features.identity.operations.register_user import register_user
from billwright.features.identity.operations.sign_in import sign_in
from billwright.kernel.refusal import Refusal
from billwright.runtime.clock import SystemClock
from billwright.runtime.db.database import Database
from billwright.runtime.queue.outbox import QueueOutbox
from billwright.runtime.queue.registry import Registry
from billwright.surfaces.cli import users
from tests.conftest import Tenant, make_tenant

ADMIN = "ada@northlight.example"
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch, migrated_database: str) -> None:
    monkeypatch.setenv("BILLWRIGHT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATABASE_URL", migrated_database)


@pytest.fixture
def in_tenant(migrated_database: str, registry: Registry):
    """How the product does something for the tenant `default`, which exists."""

    async def ask(work):
        database = await Database.connect(
            migrated_database, outbox=QueueOutbox(registry), size=1, clock=SystemClock()
        )
        try:
            known = await database.tenant_by_code("default")
            tenant = Tenant(known, database) if known else await make_tenant(database, "default")
            return await work(tenant)
        finally:
            await database.close()

    def run(work):
        return asyncio.run(ask(work))

    async def nothing(_tenant) -> None:
        pass

    run(nothing)
    return run


def signed_in(in_tenant, email: str = ADMIN) -> User:
    return in_tenant(lambda tenant: sign_in(tenant.tx, email=email, password=PASSWORD))


def listed(capsys) -> list[list[str]]:
    capsys.readouterr()
    assert users.show_all("default") == 0
    return [line.split() for line in capsys.readouterr().out.splitlines()[1:]]


def test_an_administrator_is_created_once_and_can_sign_in(in_tenant, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    assert users.create_admin("default", email=ADMIN.upper(), password=users.read_password()) == 0
    assert capsys.readouterr().out == f"{ADMIN} is the administrator of tenant default.\n"
    assert signed_in(in_tenant).role is Role.ADMIN
    assert users.create_admin("default", email="bo@x.example", password=PASSWORD) == 1
    said = capsys.readouterr()
    assert (said.out, said.err) == (
        "",
        f"This tenant has an administrator already: {ADMIN}.\n",
    )
    ((_, email, role, created, confirmed, locked),) = listed(capsys)
    assert (email, role, locked) == (ADMIN, "admin", "-")
    assert confirmed == created


@pytest.mark.parametrize(
    ("option", "typed"), [([], f"{PASSWORD}\n{PASSWORD}\n"), (["--password-stdin"], PASSWORD)]
)
def test_the_password_is_asked_for_and_not_shown(in_tenant, option, typed):
    command = ["user", "create-admin", "--tenant", "default", "--email", ADMIN, *option]
    done = CliRunner().invoke(main, command, input=typed)
    assert done.exit_code == 0
    assert PASSWORD not in done.output
    assert signed_in(in_tenant).email == ADMIN


def test_a_user_is_locked_and_unlocked_by_address(in_tenant, capsys):
    users.create_admin("default", email=ADMIN, password=PASSWORD)
    user = in_tenant(
        lambda tenant: register_user(
            tenant.tx, email="bo@northlight.example", password=PASSWORD, locale="en"
        )
    ).user
    assert users.lock("default", email=user.email.title()) == 0
    assert "is locked" in capsys.readouterr().out
    first, second = listed(capsys)
    assert (first[1], second[1]) == (user.email, ADMIN)
    assert first[5] != "-"
    with pytest.raises(Refusal, match="locked"):
        signed_in(in_tenant, user.email)
    assert users.unlock("default", email=user.email) == 0
    assert listed(capsys)[0][5] == "-"


def test_what_cannot_be_done_is_said(in_tenant, capsys):
    users.create_admin("default", email=ADMIN, password=PASSWORD)
    capsys.readouterr()
    for command, said in (
        (lambda: users.create_admin("south", email=ADMIN, password=PASSWORD), "no tenant"),
        (lambda: users.create_admin("default", email="ada", password=PASSWORD), "looks like"),
        (lambda: users.create_admin("default", email=ADMIN, password="short"), "8 characters"),
        (lambda: users.lock("default", email="bo@northlight.example"), "no user bo@"),
        (lambda: users.lock("default", email=ADMIN), "last administrator"),
    ):
        assert command() == 1
        refused = capsys.readouterr()
        assert refused.out == ""
        assert said in refused.err
