"""What do tests of payment methods start from? Cards, and accounts that leave them."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from billwright.features.accounts.model import Account
from billwright.features.accounts.sql.reads import account_by_id
from billwright.features.payment_methods.model import MethodId, StoredMethod
from billwright.features.payment_methods.operations.store_method import store_method
from billwright.features.payment_methods.sql.reads import default_method_of, method_by_id
from billwright.features.payment_providers.model import MethodKind
from billwright.features.payment_providers.port import SavedMethod
from billwright.runtime.secrets import SecretBox
from tests.conftest import BOX, Tenant
from tests.features.billing import an_account

PROVIDER = "sandbox"


def a_card(reference: str = "pm_visa", **changes: Any) -> SavedMethod:
    values: dict[str, Any] = {
        "reference": reference,
        "kind": MethodKind.CARD,
        "label": "Visa •••• 4242",
        "payer_reference": "cus_riverbank",
        "expires_on": date(2028, 12, 31),
        "fingerprint": "fp_4242",
    }
    return SavedMethod(**{**values, **changes})


async def a_customer(tenant: Tenant, **changes: Any) -> Account:
    async with tenant.tx() as tx:
        return await an_account(tx, **changes)


async def leave(
    tenant: Tenant,
    account_id: UUID,
    card: SavedMethod | None = None,
    *,
    consent: str = "page 1",
    box: SecretBox = BOX,
) -> MethodId:
    async with tenant.tx() as tx:
        return await store_method(
            tx,
            account_id=account_id,
            provider=PROVIDER,
            method=card or a_card(),
            consent=consent,
            box=box,
        )


async def method_now(tenant: Tenant, method_id: UUID) -> StoredMethod:
    async with tenant.tx() as tx:
        return await method_by_id(tx, method_id)


async def default_now(tenant: Tenant, account_id: UUID) -> UUID | None:
    async with tenant.tx() as tx:
        default = await default_method_of(tx, account_id)
        return None if default is None else default.id


async def has_method(tenant: Tenant, account_id: UUID) -> bool:
    """What the account knows of itself."""
    async with tenant.tx() as tx:
        return (await account_by_id(tx, account_id)).has_payment_method
