"""What does an API key look like?"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from uuid import UUID

from billwright.kernel.ids import TenantId

_PREFIX = "bw"


@dataclass(frozen=True, slots=True)
class KeyText:
    """A key's parts; `digest` is the SHA-256 of the whole text, the only form that is stored."""

    tenant_id: TenantId
    text: str

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.text.encode()).digest()

    @property
    def hint(self) -> str:
        return self.text[-4:]


def key_text(tenant_id: TenantId, *, secret: str) -> KeyText:
    """The key of a tenant with this secret, which must be unguessable."""
    tenant = base64.urlsafe_b64encode(tenant_id.bytes).rstrip(b"=").decode()
    return KeyText(tenant_id, f"{_PREFIX}_{tenant}_{secret}")


def looks_like_key(text: str) -> bool:
    """Whether a text is meant to be a key, and no other credential."""
    return text.startswith(f"{_PREFIX}_")


def parse_key_text(text: str) -> KeyText | None:
    """The key that a text may be; none when it cannot be one."""
    if not (looks_like_key(text) and 60 <= len(text) <= 80 and text[25:26] == "_"):
        return None
    try:
        tenant = UUID(bytes=base64.urlsafe_b64decode(text[3:25] + "=="))
    except (binascii.Error, ValueError):
        return None
    return KeyText(TenantId(tenant), text)
