"""What is known of a caller and of its key?"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from billwright.kernel.actor import Actor, ActorKind, ActorToken
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
    AUDIT = "audit"
    API_KEYS = "api_keys"
    TEST_CLOCKS = "test_clocks"


class Right(StrEnum):
    """What a scope allows there; `write` includes `read`."""

    READ = "read"
    WRITE = "write"


FULL_ACCESS = "billing:write"
READ_ACCESS = "billing:read"

# Made by what happens, never by a caller.
_NOTHING_TO_WRITE = {
    f"{group}:{Right.WRITE}" for group in (Group.EVENTS, Group.NOTIFICATIONS, Group.AUDIT)
}

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


class Role(StrEnum):
    """What a user is; `controller` is known to existing installations, and may no more than `user`."""

    USER = "user"
    ADMIN = "admin"
    CONTROLLER = "controller"


class CodePurpose(StrEnum):
    """What a mailed code proves."""

    CONFIRM_EMAIL = "confirm_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - a name


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody who signs in, at one tenant. `email` is in lower case; sessions of another `token_version`
    are over. Without a password, an OpenID Connect server vouches for them under `oidc_subject`.
    """

    id: UUID
    email: str
    role: Role
    locale: str
    has_password: bool
    oidc_subject: str | None
    email_confirmed_at: datetime | None
    locked_at: datetime | None
    token_version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A user, and what their password is verified by."""

    user: User
    password_hash: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTimeCode:
    """A mailed code as it is stored. `renewed_at` is when wrong attempts last made for another mail."""

    user_id: UUID
    purpose: CodePurpose
    digest: bytes = field(repr=False)
    attempts_left: int
    expires_at: datetime | None
    created_at: datetime
    renewed_at: datetime | None


class SignInMethod(StrEnum):
    """How somebody proved who they are; the values are those of the claim `amr` (RFC 8176)."""

    PASSWORD = "pwd"  # noqa: S105 - a name
    TOKEN = "pat"  # noqa: S105 - a name
    OIDC = "oidc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A user who signed in. `scopes` and `token` belong to those who came with a personal access token;
    `jti` and `expires_at` to sessions of our own.
    """

    tenant_id: TenantId
    user: User
    method: SignInMethod
    jti: UUID | None = None
    expires_at: datetime | None = None
    scopes: frozenset[str] | None = None
    token: ActorToken | None = None

    @property
    def actor(self) -> Actor:
        """In whose name the session does something."""
        return Actor(ActorKind.USER, self.user.email, self.user.id, self.token)

    @property
    def is_interactive(self) -> bool:
        """Whether a person signed in, and not a program with a token of theirs."""
        return self.method is not SignInMethod.TOKEN


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalAccessToken:
    """A token as it is stored; `prefix` is the beginning of its text, by which people recognize it.

    `last_used_at` is right to five minutes.
    """

    id: UUID
    user_id: UUID
    name: str
    prefix: str
    scopes: tuple[str, ...]
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    created_at: datetime

    def opens_at(self, now: datetime) -> bool:
        """Whether it still opens anything."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class CreatedToken:
    """A token that has just come to be, with the text that nothing can show again."""

    token: PersonalAccessToken
    text: str


@dataclass(frozen=True, slots=True)
class Exchanged:
    """The session that a token was exchanged for, as its text, and what it opens."""

    access_token: str
    user: User
    scopes: tuple[str, ...]
