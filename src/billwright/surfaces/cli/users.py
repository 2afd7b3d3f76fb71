"""What does an operator do with those who sign in?"""

from __future__ import annotations

import sys
from datetime import datetime
from functools import partial

import typer

from billwright.features.identity.errors import user_unknown
from billwright.features.identity.model import User
from billwright.features.identity.operations.create_first_admin import create_first_admin
from billwright.features.identity.operations.lock_user import lock_user, unlock_user
from billwright.features.identity.rules.email import stored_form
from billwright.features.identity.sql.reads_users import find_user_by_email, list_users
from billwright.runtime.db.database import Database
from billwright.runtime.db.tx import Tx
from billwright.surfaces.cli.columns import in_columns
from billwright.surfaces.cli.operator_command import operator_tx, run_on_database, tenant_with

_USERS_AT_A_TIME = 1000


def ask_for_password() -> str:
    """A password that is typed twice and not shown; arguments are seen by every process."""
    answer: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return answer


def read_password() -> str:
    """The first line of standard input."""
    return sys.stdin.readline().rstrip("\r\n")


def create_admin(tenant_code: str, *, email: str, password: str) -> int:
    """Let the first administrator in, who then lets in the others."""

    async def work(database: Database) -> None:
        tenant_id = await tenant_with(database, tenant_code)
        open_tx = partial(operator_tx, database, tenant_id, cause="user create-admin")
        admin = await create_first_admin(open_tx, email=email, password=password)
        typer.echo(f"{admin.email} is the administrator of tenant {tenant_code}.")

    return run_on_database(work)


def show_all(tenant_code: str) -> int:
    """List every user of the tenant."""

    async def work(database: Database) -> None:
        tenant_id = await tenant_with(database, tenant_code)
        async with operator_tx(database, tenant_id, cause="user list") as tx:
            users = await _all_users(tx)
        rows = [
            (
                str(user.id),
                user.email,
                user.role.value,
                *map(_minute, (user.created_at, user.email_confirmed_at, user.locked_at)),
            )
            for user in users
        ]
        typer.echo(in_columns(["ID", "EMAIL", "ROLE", "CREATED", "CONFIRMED", "LOCKED"], rows))

    return run_on_database(work)


def lock(tenant_code: str, *, email: str) -> int:
    """Keep a user out."""

    async def work(database: Database) -> None:
        tenant_id = await tenant_with(database, tenant_code)
        async with operator_tx(database, tenant_id, cause="user lock") as tx:
            await lock_user(tx, (await _user_with(tx, email)).id)
        typer.echo(f"{stored_form(email)} is locked.")

    return run_on_database(work)


def unlock(tenant_code: str, *, email: str) -> int:
    """Let a user in again."""

    async def work(database: Database) -> None:
        tenant_id = await tenant_with(database, tenant_code)
        async with operator_tx(database, tenant_id, cause="user unlock") as tx:
            await unlock_user(tx, (await _user_with(tx, email)).id)
        typer.echo(f"{stored_form(email)} is not locked any more.")

    return run_on_database(work)


async def _user_with(tx: Tx, email: str) -> User:
    user = await find_user_by_email(tx, stored_form(email))
    if user is None:
        raise user_unknown(user_id=email)
    return user


async def _all_users(tx: Tx) -> list[User]:
    users: list[User] = []
    while page := await list_users(tx, limit=_USERS_AT_A_TIME, offset=len(users)):
        users += page
    return users


def _minute(instant: datetime | None) -> str:
    return "-" if instant is None else f"{instant:%Y-%m-%dT%H:%MZ}"
