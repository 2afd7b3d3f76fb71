"""With what does a tenant begin, so that it can be tried at once?"""

from __future__ import annotations

import os
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

import billwright.features
from billwright.features.identity.operations.create_api_key import create_api_key
from billwright.features.tenancy.errors import tenant_code_taken
from billwright.features.tenancy.model import Address, Seller, SellerParty
from billwright.features.tenancy.operations.create_tenant import CreateTenant, create_tenant
from billwright.kernel.actor import system_actor
from billwright.kernel.ids import TenantId, new_id
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.database import Database
from billwright.runtime.queue.outbox import QueueOutbox
from billwright.runtime.queue.registry import discover
from billwright.runtime.settings import DEFAULT_TENANT, create_own_folder
from billwright.surfaces.cli.demo_key import demo_key_path


async def create_demo_sellers(dsn: str, codes: Iterable[str], *, home: Path) -> None:
    """Create a tenant for each code, with a seller and an API key, whose text is kept in the home. One
    that another process creates meanwhile is left to that.
    """
    outbox = QueueOutbox(discover(billwright.features))
    database = await Database.connect(dsn, outbox=outbox, size=1)
    try:
        for code in codes:
            await _create_unless_taken(database, code, home=home)
    finally:
        await database.close()


async def _create_unless_taken(database: Database, code: str, *, home: Path) -> None:
    """The file is written before the commit: a crash in between leaves a key that opens nothing, which
    the next start replaces, and never a tenant whose key nobody has. Another process waits for the
    commit before it finds the code taken, and writes nothing.
    """
    try:
        async with database.tx(
            TenantId(new_id()), actor=system_actor("setup"), cause="create_demo_seller"
        ) as tx:
            await create_tenant(tx, _demo_tenant(code))
            key = await create_api_key(tx, name="Demo")
            _keep(key.text, path=demo_key_path(home, code))
    except Refusal as refusal:
        if refusal.code != tenant_code_taken.code:
            raise


def _demo_tenant(code: str) -> CreateTenant:
    return CreateTenant(
        code=code,
        name="Demo" if code == DEFAULT_TENANT else f"Demo {code}",
        seller=Seller(
            id=new_id(),
            party=SellerParty(
                name="Example Software GmbH",
                address=Address(
                    line1="Musterstraße 1", postal_code="10115", city="Berlin", country="DE"
                ),
                tax_id="DE123456788",
                email="billing@example.com",
                website="https://example.com",
                bank_name="Musterbank",
                iban="DE02120300000000202051",
                bic="BYLADEM1001",
            ),
            currency="EUR",
            zone="Europe/Berlin",
            tax_rates={"standard": Decimal("0.19"), "reduced": Decimal("0.07")},
        ),
    )


def _keep(key: str, *, path: Path) -> None:
    """Whole or not at all, and for our own account only."""
    create_own_folder(path.parent)
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(key + "\n")
    partial.replace(path)
