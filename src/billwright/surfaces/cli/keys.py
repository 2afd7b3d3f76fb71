"""What does an operator do with API keys?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from uuid import UUID

import typer

from billwright.features.identity.model import FULL_ACCESS
from billwright.features.identity.operations.create_api_key import create_api_key
from billwright.features.identity.operations.revoke_api_key import revoke_api_key
from billwright.features.identity.sql.reads import api_keys
from billwright.features.tenancy.sql.reads import the_seller
from billwright.kernel.calendar import resolve
from billwright.runtime.db.database import Database
from billwright.surfaces.cli.columns import in_columns
from billwright.surfaces.cli.operator_command import operator_tx, run_on_database, tenant_with


def create(tenant_code: str, *, name: str, scopes: Sequence[str], expires_on: date | None) -> int:
    """Create a key, whose text alone goes to standard output.

    It expires as the day begins in the seller's time zone.
    """

    async def work(database: Database) -> None:
        tenant_id = await tenant_with(database, tenant_code)
        async with operator_tx(database, tenant_id, cause="key create") as tx:
            expires_at = None
            if expires_on is not None:
                seller = await the_seller(tx)
                expires_at = resolve(datetime.combine(expires_on, time()), seller.zone)
            key = await create_api_key(
                tx, name=name, scopes=scopes or (FULL_ACCESS,), expires_at=expires_at
            )
        typer.echo(f"The API key {name}, shown this once:", err=True)
        typer.echo(key.text)

    return run_on_database(work)


def show_all(tenant_code: str) -> int:
    """List every key that the tenant ever had; a key's text cannot be shown."""

    async def work(database: Database) -> None:
        tenant_id = await tenant_with(database, tenant_code)
        async with operator_tx(database, tenant_id, cause="key list") as tx:
            keys = await api_keys(tx)
        rows = [
            (
                str(key.id),
                key.name,
                f"...{key.hint}",
                ",".join(key.scopes),
                *map(_minute, (key.created_at, key.expires_at, key.revoked_at, key.last_used_at)),
            )
            for key in keys
        ]
        typer.echo(
            in_columns(
                ["ID", "NAME", "HINT", "SCOPES", "CREATED", "EXPIRES", "REVOKED", "LAST USED"], rows
            )
        )

    return run_on_database(work)


def revoke(tenant_code: str, key_id: UUID) -> int:
    """End a key for good; a second time changes nothing."""

    async def work(database: Database) -> None:
        tenant_id = await tenant_with(database, tenant_code)
        async with operator_tx(database, tenant_id, cause="key revoke") as tx:
            await revoke_api_key(tx, key_id)
        typer.echo(f"The API key {key_id} is revoked.")

    return run_on_database(work)


def _minute(instant: datetime | None) -> str:
    return "-" if instant is None else f"{instant:%Y-%m-%dT%H:%MZ}"
