"""What is known of a caller and of its key?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billwright.kernel.actor import Actor
from billwright.kernel.ids import TenantId

FULL_ACCESS = "billing:write"
READ_ACCESS = "billing:read"
SCOPES = frozenset({FULL_ACCESS, READ_ACCESS})


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is stored; `hint` is the end of its text, by which people recognize it."""

    id: UUID
    name: str
    hint: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, for which tenant, with which scopes."""

    tenant_id: TenantId
    actor: Actor
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        """Whether the caller holds a scope; the right to write includes the right to read."""
        return scope in self.scopes or (scope == READ_ACCESS and FULL_ACCESS in self.scopes)
