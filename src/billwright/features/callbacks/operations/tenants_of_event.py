"""Whose is what a provider tells of?"""

from __future__ import annotations

from billwright.features.payment_methods.sql.sealed_methods import reference_digests
from billwright.features.payment_providers.model import EventKind
from billwright.features.payment_providers.port import CallbackEvent
from billwright.kernel.ids import TenantId
from billwright.runtime.db.database import Database
from billwright.runtime.secrets import SecretBox


async def tenants_of_event(
    database: Database, event: CallbackEvent, *, provider: str, box: SecretBox
) -> frozenset[TenantId]:
    """The tenant that the event names, or else all that know what it is about. Only where that is one
    may anything be applied: one tenant's money must never become another's by a guess.
    """
    if event.tenant_id is not None and event.tenant_id in await database.all_tenants():
        return frozenset({TenantId(event.tenant_id)})
    named = event.dispute.payment_reference if event.dispute else event.payment_reference
    found: set[TenantId] = set()
    for reference in {event.reference, named} - {None}:
        rows = await database.unscoped(
            "select tenant_id from tenants_of_provider_reference($1, $2)", provider, reference
        )
        found |= {row["tenant_id"] for row in rows}
    if event.kind is EventKind.METHOD and event.reference is not None:
        for digest in reference_digests(box, provider=provider, reference=event.reference):
            rows = await database.unscoped(
                "select tenant_id from tenants_of_payment_method($1, $2)", provider, digest
            )
            found |= {row["tenant_id"] for row in rows}
    return frozenset(found)
