"""What leaves rows of overrides, and of what all accounts depend on?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.catalog.model import FeatureDefinition
from billwright.features.catalog.operations.update_feature import set_feature_default
from billwright.features.entitlements.operations.create_override import (
    CreateOverride,
    create_override,
)
from tests.conftest import Tenant


async def agree_on_more(tenant: Tenant, account_id: UUID) -> None:
    """An account gets more than its plan says, and every account something by default."""
    async with tenant.tx() as tx:
        await create_override(
            tx,
            CreateOverride(
                account_id=account_id,
                feature_code="region",
                definition=FeatureDefinition(value="us"),
                reason="Agreed",
            ),
        )
        await set_feature_default(tx, "sso", default=FeatureDefinition(value=True))
