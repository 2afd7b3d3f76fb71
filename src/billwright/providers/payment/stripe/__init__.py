"""How is money moved through Stripe: cards with 3-D Secure and SEPA direct debits?"""

from __future__ import annotations

from billwright.features.payment_providers.port import PaymentProvider
from billwright.runtime.settings import Settings


def create_provider(settings: Settings | None) -> PaymentProvider | None:
    """The provider, when there is a secret key."""
    if settings is None or settings.stripe_secret_key is None:
        return None
    # Loading the SDK takes half a second, which only those who use it should wait.
    from billwright.providers.payment.stripe.provider import StripeProvider  # noqa: PLC0415

    return StripeProvider(
        settings.stripe_secret_key.get_secret_value(),
        callback_secrets=[each.get_secret_value() for each in settings.stripe_webhook_secret],
    )
