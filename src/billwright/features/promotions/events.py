"""What happens to promotions?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from billwright.kernel.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionCreated(Event):
    type: ClassVar[str] = "promotion.created"
    subject_type: ClassVar[str] = "promotion"

    code: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionUpdated(Event):
    """`changed` names the fields of the promotion that are not as they were, in alphabetical order."""

    type: ClassVar[str] = "promotion.updated"
    subject_type: ClassVar[str] = "promotion"

    code: str
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionArchived(Event):
    """It can no longer be redeemed; who has redeemed it keeps it."""

    type: ClassVar[str] = "promotion.archived"
    subject_type: ClassVar[str] = "promotion"

    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionRedeemed(Event):
    """A subscription has a promotion from now on."""

    type: ClassVar[str] = "promotion.redeemed"
    subject_type: ClassVar[str] = "redemption"

    promotion_id: UUID
    code: str
    subscription_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionExhausted(Event):
    """Nothing is left of what a subscription redeemed; a credit may give some of it back."""

    type: ClassVar[str] = "promotion.exhausted"
    subject_type: ClassVar[str] = "redemption"

    promotion_id: UUID
    code: str
    subscription_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionEnded(Event):
    """A person stopped a subscription's use of a promotion."""

    type: ClassVar[str] = "promotion.ended"
    subject_type: ClassVar[str] = "redemption"

    promotion_id: UUID
    code: str
    subscription_id: UUID
