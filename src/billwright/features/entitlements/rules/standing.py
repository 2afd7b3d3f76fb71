"""How does a pool stand, and is there room for more?"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from billwright.features.catalog.model import LimitPolicy
from billwright.features.entitlements.model import Pool
from billwright.kernel.quick import quickly_made

_NOTHING = Decimal(0)


@quickly_made
@dataclass(frozen=True, slots=True)
class Level:
    """What of a pool was used in the window, how much of that beyond the limit, what is left (none is no
    limit), and what somebody holds of that.
    """

    used: Decimal
    overage: Decimal
    left: Decimal | None
    reserved: Decimal

    @property
    def limit(self) -> Decimal | None:
        return None if self.left is None else self.used - self.overage + self.left

    @property
    def remaining(self) -> Decimal | None:
        return None if self.left is None else max(self.left - self.reserved, _NOTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing(Level):
    """How a pool stands at an instant."""

    pool: Pool


def standing_of(pool: Pool, *, used_of_segment: Decimal, reserved: Decimal) -> Standing:
    """How a pool stands, since it was settled, of which so much was used and is held."""
    level = level_of(
        available=pool.available,
        used_before=pool.used_before,
        overage_before=pool.overage_before,
        used_of_segment=used_of_segment,
        reserved=reserved,
    )
    return Standing(level.used, level.overage, level.left, level.reserved, pool=pool)


def level_of(
    *,
    available: Decimal | None,
    used_before: Decimal,
    overage_before: Decimal,
    used_of_segment: Decimal,
    reserved: Decimal,
) -> Level:
    """Likewise, from what a pool had left when it was settled, and what had been used by then."""
    used = used_before + used_of_segment
    if available is None:
        return Level(used, overage_before, None, reserved)
    rest = available - used_of_segment
    if rest >= 0:
        return Level(used, overage_before, rest, reserved)
    return Level(used, overage_before - rest, _NOTHING, reserved)


def has_room(
    level: Level, amount: Decimal, *, policy: LimitPolicy, soft_cap: Decimal | None
) -> bool:
    """Whether so much more may be used by the limit policy, beside what is held."""
    if level.left is None:
        return True
    beyond = level.reserved + amount - level.left
    if beyond <= 0:
        return True
    match policy:
        case LimitPolicy.HARD:
            return False
        case LimitPolicy.SOFT:
            return True
        case LimitPolicy.SOFT_CAPPED:
            return level.overage + beyond <= (soft_cap or _NOTHING)


def plain_quantity(quantity: Decimal | None) -> str | None:
    """A quantity as answers tell it, without zeros that say nothing; none is no limit."""
    return None if quantity is None else format(quantity.normalize(), "f")
