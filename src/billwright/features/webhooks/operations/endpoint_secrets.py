"""What does an endpoint know a message by?"""

from __future__ import annotations

import base64
import secrets
from datetime import datetime

from billwright.features.webhooks.model import Endpoint, EndpointId
from billwright.kernel.ids import TenantId
from billwright.runtime.secrets import SecretBox

SECRET_PREFIX = "whsec_"  # noqa: S105 - what a secret begins with
_SECRET_BYTES = 32


def new_secret(box: SecretBox, *, tenant_id: TenantId, endpoint_id: EndpointId) -> tuple[str, str]:
    """A fresh secret in the form of Standard Webhooks, and how it is kept."""
    text = SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
    return text, box.seal(text.encode(), context=_context(tenant_id, endpoint_id))


def opened_secret(endpoint: Endpoint, *, tenant_id: TenantId, box: SecretBox) -> str:
    """The endpoint's present secret."""
    return box.open(endpoint.secret_sealed, context=_context(tenant_id, endpoint.id)).decode()


def signing_secrets(
    endpoint: Endpoint, *, tenant_id: TenantId, box: SecretBox, now: datetime
) -> tuple[str, ...]:
    """What signs a message: the present secret and, for a day after it was replaced, the former one."""
    present = opened_secret(endpoint, tenant_id=tenant_id, box=box)
    until = endpoint.former_secret_until
    if endpoint.former_secret_sealed is None or until is None or until <= now:
        return (present,)
    context = _context(tenant_id, endpoint.id)
    return present, box.open(endpoint.former_secret_sealed, context=context).decode()


def resealed(endpoint: Endpoint, *, tenant_id: TenantId, box: SecretBox) -> str | None:
    """The present secret sealed with the present key; none when it is already."""
    if not box.needs_resealing(endpoint.secret_sealed):
        return None
    context = _context(tenant_id, endpoint.id)
    return box.seal(box.open(endpoint.secret_sealed, context=context), context=context)


def _context(tenant_id: TenantId, endpoint_id: EndpointId) -> str:
    return f"webhook_endpoint.secret:{tenant_id}:{endpoint_id}"
