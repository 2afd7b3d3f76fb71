"""What is known of the ways to pay that accounts have left?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from billwright.features.payment_providers.model import MethodKind

MethodId = NewType("MethodId", UUID)
SetupId = NewType("SetupId", UUID)


class MethodStatus(StrEnum):
    ACTIVE = "active"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMethod:
    """A way to pay that an account has left with a provider, whose words for it are sealed.

    `is_chargeable` ends when the provider declines it for good. That it has expired ends nothing: banks
    renew most cards in silence, and the number of the old one goes on working. `consent` says where the
    payer agreed, and to what.

    `removed_at` and `detach_at` are the machine's time: the latter is when its provider is next asked to
    forget it, never once it has, or when nobody asks any more.
    """

    id: MethodId
    account_id: UUID
    provider: str
    kind: MethodKind
    label: str
    status: MethodStatus
    is_default: bool
    is_chargeable: bool
    expires_on: date | None
    reference_sealed: str
    payer_reference_sealed: str | None
    consented_at: datetime
    consent: str
    version: int
    created_at: datetime
    updated_at: datetime
    removed_at: datetime | None = None
    detach_at: datetime | None = None


class Detaching(StrEnum):
    """How it ends that a provider is to forget a removed method: `shared` is one that another account has
    left as well and has not removed.
    """

    DETACHED = "detached"
    SHARED = "shared"
    NOT_OFFERED = "not_offered"
    GIVEN_UP = "given_up"


class SetupState(StrEnum):
    """A setup is `created` until its provider has opened the page; one that is `expired` may still turn
    out to be `completed`, never the other way round.
    """

    CREATED = "created"
    OPEN = "open"
    COMPLETED = "completed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodSetup:
    """A page of a provider on which a payer leaves a method; its address is sealed while it is open."""

    id: SetupId
    account_id: UUID
    provider: str
    provider_key: str
    state: SetupState
    provider_reference: str | None
    page_url_sealed: str | None
    expires_at: datetime | None
    payment_method_id: MethodId | None
    created_at: datetime
    updated_at: datetime
