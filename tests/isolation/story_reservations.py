"""What leaves rows of grants and reservations?"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from billwright.features.entitlements.operations.grant_allotment import (
    GrantAllotment,
    grant_allotment,
)
from billwright.features.entitlements.operations.reserve_allotment import (
    ReserveAllotment,
    reserve_allotment,
)
from billwright.features.entitlements.rules.granting import Grant
from tests.conftest import Tenant


async def buy_more_and_reserve(tenant: Tenant, account_id: UUID, *, subscription_id: UUID) -> None:
    """An account gets more calls than its plan gives, and keeps some for what it is about to do."""
    async with tenant.tx() as tx:
        await grant_allotment(
            tx,
            GrantAllotment(
                account_id=account_id,
                feature_code="api_calls",
                grant=Grant(amount=Decimal(500), reason="Bought"),
            ),
        )
        await reserve_allotment(
            tx,
            ReserveAllotment(
                account_id=account_id,
                subscription_id=subscription_id,
                feature_code="api_calls",
                amount=Decimal(25),
                client_id="job-1",
                lasting=timedelta(hours=24),
            ),
        )
