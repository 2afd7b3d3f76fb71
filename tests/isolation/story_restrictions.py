"""What leaves a row of restricted access?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.entitlements.model import Restriction, RestrictionEffect
from billwright.features.entitlements.operations.restrict_access import restrict_access
from billwright.kernel.ids import new_id
from tests.conftest import Tenant


async def be_restricted(tenant: Tenant, account_id: UUID) -> None:
    """A debt restricts all that the account has."""
    async with tenant.tx() as tx:
        await restrict_access(
            tx,
            [
                Restriction(
                    cause_id=new_id(),
                    account_id=account_id,
                    subscription_id=None,
                    effect=RestrictionEffect.READ_ONLY,
                )
            ],
        )
