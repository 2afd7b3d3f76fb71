"""What happens when a provider tells something of its own accord?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import structlog

from billwright.features.callbacks.errors import callback_provider_unknown, callback_without_tenant
from billwright.features.callbacks.operations.apply_callback import apply_callback
from billwright.features.callbacks.operations.store_callback import store_callback
from billwright.features.callbacks.operations.tenants_of_event import tenants_of_event
from billwright.features.payment_providers.port import (
    CallbackInvalid,
    Capability,
    PaymentProvider,
    PaymentProviders,
)
from billwright.kernel.actor import system_actor
from billwright.kernel.ids import TenantId
from billwright.runtime.db.database import Database
from billwright.runtime.secrets import SecretBox

_NAME = "receive_callback"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A request as it came; the signature is over these very bytes."""

    provider: str
    headers: Mapping[str, str]
    body: bytes


async def receive_callback(
    database: Database,
    delivery: Delivery,
    *,
    providers: PaymentProviders,
    box: SecretBox,
    default_tenant: str,
) -> None:
    """Store what a provider tells, then apply it. When this returns, the callback is safe with us,
    whether it could be applied or not; one that came before does nothing. What cannot be placed waits
    with the tenant whose code is `default_tenant`.

    Raises `CallbackInvalid`. Refuses: `callback_provider_unknown`, `callback_without_tenant`.
    """
    provider = _provider(delivery.provider, providers)
    try:
        event = provider.read_callback(delivery.headers, delivery.body, now=database.clock.now())
    except CallbackInvalid as invalid:
        _log.warning("callback refused", provider=provider.name, reason=str(invalid))
        raise
    owners = await tenants_of_event(database, event, provider=provider.name, box=box)
    tenant_id = _only(owners) or await database.tenant_by_code(default_tenant)
    if tenant_id is None:
        raise callback_without_tenant()
    opening = partial(database.tx, tenant_id, actor=system_actor(_NAME), cause=_NAME)
    async with opening() as tx:
        callback_id = await store_callback(
            tx, event, provider=provider.name, body=delivery.body, box=box
        )
    if callback_id is None or len(owners) > 1:
        return
    try:
        await apply_callback(opening, callback_id, providers=providers, box=box)
    except Exception:  # noqa: BLE001 - it is stored, so that the worker applies it
        _log.exception("callback left to the worker", callback_id=str(callback_id))


def _only(owners: frozenset[TenantId]) -> TenantId | None:
    return next(iter(owners)) if len(owners) == 1 else None


def _provider(name: str, providers: PaymentProviders) -> PaymentProvider:
    provider = providers.get(name)
    if provider is None or Capability.CALLBACKS not in provider.capabilities:
        raise callback_provider_unknown(provider=name)
    return provider
