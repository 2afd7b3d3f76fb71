"""What is known of a promotion, and of its use by a subscription?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NewType
from uuid import UUID

PromotionId = NewType("PromotionId", UUID)
RedemptionId = NewType("RedemptionId", UUID)


class PromotionStatus(StrEnum):
    ACTIVE = "active"
    ARCHIVED = "archived"


class PromotionKind(StrEnum):
    """What a promotion takes off. Free periods and days concern recurring lines only."""

    PERCENTAGE = "percentage"
    FIXED_AMOUNT = "fixed_amount"
    FREE_PERIODS = "free_periods"
    FREE_DAYS = "free_days"


class Duration(StrEnum):
    """For how many billing periods: the first one, a number of them, or all. A fixed amount that is
    given once lasts until it is used up.
    """

    ONCE = "once"
    PERIODS = "periods"
    FOREVER = "forever"


class Customers(StrEnum):
    """Whose subscriptions may redeem it."""

    ANY = "any"
    NEW = "new"
    EXISTING = "existing"


class RedemptionState(StrEnum):
    """`exhausted`: nothing is left to take off; `ended`: a person stopped it."""

    ACTIVE = "active"
    EXHAUSTED = "exhausted"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """An offer that subscriptions redeem by its code.

    `percent` (20 is 20 %), `amount_minor` in `currency`, or `count` periods or days says how much,
    depending on the kind. `currency` also restricts who may redeem it, as do `plan_codes` (empty is
    every plan), `customers`, the two maximums and the window, whose end is exclusive. Lines that are
    together less than `minimum_minor` are not discounted. One that is not `combinable` is the only one
    that a subscription has. `redemptions` counts its uses so far.
    """

    id: PromotionId
    code: str
    name: str
    status: PromotionStatus
    kind: PromotionKind
    percent: Decimal | None
    amount_minor: int | None
    currency: str | None
    count: int | None
    duration: Duration
    duration_periods: int | None
    plan_codes: tuple[str, ...]
    customers: Customers
    minimum_minor: int | None
    maximum_redemptions: int | None
    maximum_per_account: int | None
    combinable: bool
    redeemable_from: datetime | None
    redeemable_until: datetime | None
    redemptions: int
    metadata: dict[str, str]
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """A promotion's use by one subscription, with the promotion's terms and what is left of them.

    `last_period_start` is the last billing period that was counted. What is left is null where the
    promotion does not count it. `count` is that of free periods or days.
    """

    id: UUID
    promotion_id: UUID
    account_id: UUID
    subscription_id: UUID
    code: str
    name: str
    kind: PromotionKind
    percent: Decimal | None
    amount_minor: int | None
    currency: str | None
    minimum_minor: int | None
    duration: Duration
    state: RedemptionState
    remaining_minor: int | None
    remaining_periods: int | None
    remaining_seconds: int | None
    last_period_start: datetime | None
    redeemed_at: datetime
    count: int | None = None

    @property
    def renews_amount(self) -> bool:
        """Whether each billing period has the amount anew."""
        return self.kind is PromotionKind.FIXED_AMOUNT and self.duration is not Duration.ONCE


@dataclass(frozen=True, slots=True)
class Discountable:
    """A line that promotions may reduce: its amount (never negative), and when its service is."""

    amount_minor: int
    recurring: bool
    service_start: datetime
    service_end: datetime


@dataclass(frozen=True, slots=True)
class Discount:
    """What a redemption took off a charge; negative for what a credit gave back to it."""

    charge_id: UUID
    redemption_id: UUID
    amount_minor: int
