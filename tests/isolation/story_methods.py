"""What does a tenant do that leaves a payment method, and the page it was left on?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.payment_methods.operations.record_setup import record_setup
from billwright.features.payment_methods.operations.start_setup import StartSetup, start_setup
from billwright.features.payment_providers.model import AttemptState
from billwright.features.payment_providers.port import PaymentProviders, ProviderAnswer
from billwright.providers.payment.sandbox.provider import SandboxProvider
from tests.conftest import BOX, NOON, Tenant
from tests.features.payment_methods.methods import a_card


async def leave_method(tenant: Tenant, account_id: UUID) -> None:
    """A payer leaves a card."""
    providers = PaymentProviders({"sandbox": SandboxProvider(lambda: NOON)})
    command = StartSetup(
        account_id=account_id,
        success_url="https://app.example/saved",
        cancel_url="https://app.example/billing",
    )
    async with tenant.tx() as tx:
        setup_id = await start_setup(tx, command, providers=providers)
        answer = ProviderAnswer(AttemptState.SUCCEEDED, "setup", saved_method=a_card())
        await record_setup(tx, setup_id=setup_id, answer=answer, box=BOX)
