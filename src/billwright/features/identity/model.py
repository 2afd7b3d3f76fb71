"""What is known of a caller and of its key?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from billwright.kernel.actor import Actor
from billwright.kernel.ids import TenantId


class Group(StrEnum):
    """What a scope is about."""

    PLANS = "plans"
    ACCOUNTS = "accounts"
    PROMOTIONS = "promotions"
    SUBSCRIPTIONS = "subscriptions"
    ENTITLEMENTS = "entitlements"
    METERS = "meters"
    USAGE = "usage"
    INVOICES = "invoices"
    PAYMENTS = "payments"
    DUNNING = "dunning"
    EVENTS = "events"
    WEBHOOKS = "webhooks"
    NOTIFICATIONS = "notifications"
    API_KEYS = "api_keys"
    TEST_CLOCKS = "test_clocks"


class Right(StrEnum):
    """What a scope allows there; `write` includes `read`."""

    READ = "read"
    WRITE = "write"


FULL_ACCESS = "billing:write"
READ_ACCESS = "billing:read"

# Made by what happens, never by a caller.
_NOTHING_TO_WRITE = {f"{Group.EVENTS}:{Right.WRITE}", f"{Group.NOTIFICATIONS}:{Right.WRITE}"}

SCOPES = (
    frozenset(
        {FULL_ACCESS, READ_ACCESS, *(f"{group}:{right}" for group in Group for right in Right)}
    )
    - _NOTHING_TO_WRITE
)
"""All that a key can be given: everything, all reads, and either of them for one group."""


class ApiKeyStatus(StrEnum):
    """Whether a key opens anything."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is stored; `hint` is the end of its text, by which people recognize it.

    `last_used_at` is right to the hour.
    """

    id: UUID
    name: str
    hint: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    def status_at(self, now: datetime) -> ApiKeyStatus:
        if self.revoked_at is not None:
            return ApiKeyStatus.REVOKED
        expired = self.expires_at is not None and self.expires_at <= now
        return ApiKeyStatus.EXPIRED if expired else ApiKeyStatus.ACTIVE


@dataclass(frozen=True, slots=True)
class CreatedApiKey:
    """A key that has just come to be, with the text that nothing can show again."""

    id: UUID
    text: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, for which tenant, with which scopes."""

    tenant_id: TenantId
    actor: Actor
    scopes: frozenset[str]
