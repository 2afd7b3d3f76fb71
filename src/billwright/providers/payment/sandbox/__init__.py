"""How is everything about payments tried out without any money?"""

from __future__ import annotations

import secrets

from billwright.features.payments.port import PaymentProvider
from billwright.providers.payment.sandbox.provider import SandboxProvider
from billwright.runtime.clock import SystemClock
from billwright.runtime.settings import Settings


def create_provider(settings: Settings | None) -> PaymentProvider | None:
    """The provider, where the settings allow it; what it says never counts elsewhere."""
    if settings is None or not settings.payment_sandbox:
        return None
    # Nobody else can sign a callback of this process.
    return SandboxProvider(SystemClock().now, callback_secrets=[secrets.token_hex(32)])
