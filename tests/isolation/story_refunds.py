"""What leaves a row in the tables of refunds and disputes?"""

from __future__ import annotations

from billwright.features.payment_providers.model import DisputeState
from billwright.features.payment_providers.port import Dispute
from billwright.features.refunds.operations.record_dispute import record_dispute
from tests.conftest import Tenant
from tests.features.refunds.refunding import Bank, Till, euros
from tests.features.refunds.test_external_refunds import reference_of


async def refund_and_dispute(tenant: Tenant) -> None:
    """A part of a payment goes back, and the payer's bank wants the rest."""
    till = Till(tenant, Bank())
    payment = await till.a_payment(10000)
    await till.refunded(payment, amount=euros(1190))
    dispute = Dispute(
        reference="dp-1",
        payment_reference=await reference_of(till, payment),
        state=DisputeState.OPEN,
        amount=euros(10710),
        reason="fraudulent",
        respond_by=None,
    )
    async with tenant.tx() as tx:
        await record_dispute(tx, dispute, provider=payment.provider)
