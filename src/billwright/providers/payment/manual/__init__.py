"""How does money count that a person has seen: a bank transfer, cash or something else?"""

from __future__ import annotations

from datetime import timedelta

from billwright.features.payment_providers.model import AttemptState
from billwright.features.payment_providers.port import (
    Capability,
    CollectRequest,
    PaymentProvider,
    ProviderAnswer,
)
from billwright.runtime.settings import Settings


class ManualProvider(PaymentProvider):
    """The person has seen the money, so that every payment has succeeded already.

    It keeps nothing: the same request gets the same answer, for ever.
    """

    name = "manual"
    capabilities = frozenset({Capability.COLLECT})
    remembers_keys_for: timedelta | None = None

    async def collect(self, request: CollectRequest) -> ProviderAnswer:
        return ProviderAnswer(
            AttemptState.SUCCEEDED, request.reference or None, amount=request.amount
        )

    async def find(self, provider_key: str) -> ProviderAnswer | None:
        return None


def create_provider(settings: Settings | None) -> PaymentProvider:
    """The provider; it needs no settings."""
    return ManualProvider()
