"""How is everything about payments tried out without any money?"""

from __future__ import annotations

from billwright.features.payment_providers.port import PaymentProvider
from billwright.providers.payment.sandbox.ledger import Ledger
from billwright.providers.payment.sandbox.provider import SandboxProvider
from billwright.runtime.clock import SystemClock
from billwright.runtime.settings import Settings


def create_provider(settings: Settings | None) -> PaymentProvider | None:
    """The provider, where the settings allow it; what it says never counts elsewhere."""
    if settings is None or not settings.payment_sandbox:
        return None
    # The API, the worker and the command line play with the same money.
    return SandboxProvider(
        SystemClock().now,
        ledger=Ledger(settings.billwright_home / "sandbox.sqlite3"),
        pages_url=f"{settings.public_url}/sandbox",
    )
