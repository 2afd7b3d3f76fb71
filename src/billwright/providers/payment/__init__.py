"""Who moves money for the seller?

A provider is a folder here whose package has a function `create_provider`.
"""

from __future__ import annotations

import importlib
import pkgutil

from billwright.features.payments.port import PaymentProvider, PaymentProviders


def discover() -> PaymentProviders:
    """Every provider that there is a folder for, by its name."""
    providers = PaymentProviders()
    for folder in pkgutil.iter_modules(__path__):
        provider: PaymentProvider = importlib.import_module(
            f"{__name__}.{folder.name}"
        ).create_provider()
        providers[provider.name] = provider
    return providers
