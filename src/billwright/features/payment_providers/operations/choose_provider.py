"""Which provider opens a page?"""

from __future__ import annotations

from billwright.features.payment_providers.errors import (
    provider_incapable,
    provider_missing,
    provider_not_named,
    provider_unknown,
)
from billwright.features.payment_providers.port import (
    Capability,
    PaymentProvider,
    PaymentProviders,
)


def choose_provider(
    providers: PaymentProviders, *, named: str | None, capability: Capability
) -> PaymentProvider:
    """The provider that was named or, without a name, the only one that can.

    Refuses: `provider_unknown`, `provider_incapable`, `provider_missing`, `provider_not_named`.
    """
    if named is not None:
        if named not in providers:
            raise provider_unknown(
                pointer="/provider", provider=named, providers=", ".join(sorted(providers))
            )
        if capability not in providers[named].capabilities:
            raise provider_incapable(
                pointer="/provider", provider=named, capability=capability.value
            )
        return providers[named]
    able = [one for one in providers.values() if capability in one.capabilities]
    if not able:
        raise provider_missing(pointer="/provider", capability=capability.value)
    if len(able) > 1:
        names = ", ".join(sorted(one.name for one in able))
        raise provider_not_named(pointer="/provider", capability=capability.value, providers=names)
    return able[0]
