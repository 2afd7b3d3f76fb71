"""With what does a fresh installation begin, so that it can be tried at once?"""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import billwright.features
from billwright.features.identity.operations.create_api_key import create_api_key
from billwright.features.tenancy.model import Address, Seller, SellerParty
from billwright.features.tenancy.operations.create_tenant import CreateTenant, create_tenant
from billwright.kernel.actor import system_actor
from billwright.kernel.ids import TenantId, new_id
from billwright.runtime.db.database import Database
from billwright.runtime.queue.outbox import QueueOutbox
from billwright.runtime.queue.registry import discover
from billwright.runtime.settings import create_own_folder
from billwright.surfaces.cli.demo_key import demo_key_path

TENANT_CODE = "default"


async def create_demo_seller(dsn: str, *, home: Path) -> None:
    """Create the tenant `default`, a seller and an API key, whose text is kept in the home.

    The file is written before the commit: a crash in between leaves a key that opens nothing, which
    the next start replaces, and never a tenant whose key nobody has.
    """
    outbox = QueueOutbox(discover(billwright.features))
    database = await Database.connect(dsn, outbox=outbox, size=1)
    try:
        async with database.tx(
            TenantId(new_id()), actor=system_actor("setup"), cause="create_demo_seller"
        ) as tx:
            await create_tenant(tx, _demo_tenant())
            key = await create_api_key(tx, name="Demo")
            _keep(key.text, home=home)
    finally:
        await database.close()


def _demo_tenant() -> CreateTenant:
    return CreateTenant(
        code=TENANT_CODE,
        name="Demo",
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


def _keep(key: str, *, home: Path) -> None:
    """Whole or not at all, and for our own account only."""
    create_own_folder(home)
    path = demo_key_path(home)
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(key + "\n")
    partial.replace(path)
