"""Where does a payer go to pay or to confirm, and who can read that?"""

from __future__ import annotations

from uuid import UUID

from billwright.features.payment_providers.model import AttemptState
from billwright.features.payments.model import Attempt
from billwright.features.payments.sql.reads import live_attempt_of
from billwright.kernel.ids import TenantId
from billwright.runtime.db.tx import Tx
from billwright.runtime.secrets import SecretBox


async def live_page_url(tx: Tx, invoice_id: UUID, *, box: SecretBox) -> str | None:
    """The page on which the payer of an invoice is waited for: to pay, or to confirm a payment."""
    attempt = await live_attempt_of(tx, invoice_id)
    if attempt is None or not is_open(attempt, tx=tx):
        return None
    return opened_url(box, attempt, tenant_id=tx.tenant_id)


def is_open(attempt: Attempt, *, tx: Tx) -> bool:
    """Whether the payer can still go there."""
    return (
        attempt.state is AttemptState.REQUIRES_ACTION
        and attempt.page_expires_at is not None
        and attempt.page_expires_at > tx.machine_now
    )


def sealed_url(box: SecretBox, url: str, *, tenant_id: TenantId, attempt_id: UUID) -> str:
    """Who knows the address can act as the payer, so that the row does not show it."""
    return box.seal(url.encode(), context=_context(tenant_id, attempt_id=attempt_id))


def opened_url(box: SecretBox, attempt: Attempt, *, tenant_id: TenantId) -> str | None:
    """The address in an attempt, if its provider has given one."""
    if attempt.page_url_sealed is None:
        return None
    context = _context(tenant_id, attempt_id=attempt.id)
    return box.open(attempt.page_url_sealed, context=context).decode()


def _context(tenant_id: TenantId, *, attempt_id: UUID) -> str:
    return f"payment_attempt.page_url:{tenant_id}:{attempt_id}"
