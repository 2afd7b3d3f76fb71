"""How does a tenant come to be?"""

from __future__ import annotations

from dataclasses import dataclass

from billwright.features.tenancy.errors import tenant_code_taken, tenant_invalid
from billwright.features.tenancy.model import Seller
from billwright.features.tenancy.rules.new_tenant import new_tenant_problems
from billwright.features.tenancy.sql.writes import insert_seller, insert_tenant
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTenant:
    """A tenant's code (as in `X-Tenant`), its readable name and its seller."""

    code: str
    name: str
    seller: Seller


async def create_tenant(tx: Tx, command: CreateTenant) -> None:
    """Create the tenant whose new id the transaction was opened with.

    Refuses: `tenant_invalid` with every problem at once, `tenant_code_taken`.
    """
    problems = list(
        new_tenant_problems(code=command.code, name=command.name, seller=command.seller)
    )
    if problems:
        refused = tenant_invalid()
        raise Refusal(refused.code, refused.category, refused.detail, problems=problems)
    if not await insert_tenant(tx, code=command.code, name=command.name):
        raise tenant_code_taken(tenant_code=command.code)
    await insert_seller(tx, command.seller)
    tx.audit(
        "tenant.create",
        subject_type="tenant",
        subject_id=tx.tenant_id,
        details={"code": command.code, "name": command.name},
    )
