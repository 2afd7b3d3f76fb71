"""Who moves money for the seller?

A provider is a folder here whose package has a function `create_provider`, which is given the settings
and answers none when they do not enable it.
"""

from __future__ import annotations

import importlib
import pkgutil

from billwright.features.payment_providers.port import PaymentProvider, PaymentProviders
from billwright.runtime.settings import Settings


def discover(settings: Settings | None = None) -> PaymentProviders:
    """Every provider that there is a folder for and that the settings enable, by its name; without
    settings, those that need none.
    """
    providers = PaymentProviders()
    for folder in pkgutil.iter_modules(__path__):
        provider: PaymentProvider | None = importlib.import_module(
            f"{__name__}.{folder.name}"
        ).create_provider(settings)
        if provider is not None:
            providers[provider.name] = provider
    return providers
