"""What do promotions take off the lines of one computation?

Free periods come first, then free days, percentages and fixed amounts; within a kind, what was redeemed
earlier. Each works on what the ones before have left of a line, in money and in time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction
from uuid import UUID

from billwright.features.promotions.model import (
    Discountable,
    PromotionKind,
    Redemption,
    RedemptionState,
)
from billwright.kernel.currency import Currency
from billwright.kernel.money import Money, allocate

_ORDER = (
    PromotionKind.FREE_PERIODS,
    PromotionKind.FREE_DAYS,
    PromotionKind.PERCENTAGE,
    PromotionKind.FIXED_AMOUNT,
)
SECONDS_OF_DAY = 86_400
_SECOND = timedelta(seconds=1)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Discounted:
    """For each line what was taken off it, as pairs of redemption and minor units above 0, and all
    redemptions, in the order given, as they are afterwards.
    """

    discounts: tuple[tuple[tuple[UUID, int], ...], ...]
    redemptions: tuple[Redemption, ...]


@dataclass(slots=True)
class _Line:
    """What is left of a line, in money and in time that is not free yet."""

    left_minor: int
    recurring: bool
    begins_at: datetime
    ends_at: datetime
    discounts: list[tuple[UUID, int]] = field(default_factory=list)

    @property
    def is_billed_service(self) -> bool:
        return self.recurring and self.left_minor > 0 and self.begins_at < self.ends_at


def discounts_of(
    lines: Sequence[Discountable],
    redemptions: Sequence[Redemption],
    *,
    currency: Currency,
    period_start: datetime,
) -> Discounted:
    """Discount the lines that are billed together in the period that begins at `period_start`.

    A period counts once for a promotion, in the first computation that it takes something off. One
    that begins before the last counted period is not counted again. A line never goes below zero.
    """
    listed_minor = sum(line.amount_minor for line in lines)
    working = [
        _Line(line.amount_minor, line.recurring, line.service_start, line.service_end)
        for line in lines
    ]
    after = {redemption.id: redemption for redemption in redemptions}
    for redemption in sorted(redemptions, key=_place):
        current = _at_period(redemption, period_start)
        if _applies(current, listed_minor=listed_minor, currency=currency):
            current = _applied(current, working, currency=currency, period_start=period_start)
        after[redemption.id] = current
    return Discounted(
        tuple(tuple(line.discounts) for line in working),
        tuple(after[redemption.id] for redemption in redemptions),
    )


def given_back(redemption: Redemption, *, amount_minor: int, seconds: int) -> Redemption:
    """The redemption after a credit returned `amount_minor` of its discounts, for `seconds` of free
    service that are no longer used.

    A fixed amount and free days come back, never to more than was given, and what they had exhausted
    is active again. Other kinds, and what a person has stopped, stay as they are.
    """
    if redemption.state is RedemptionState.ENDED:
        return redemption
    match redemption.kind:
        case PromotionKind.FIXED_AMOUNT:
            minor = (redemption.remaining_minor or 0) + amount_minor
            returned = replace(redemption, remaining_minor=min(minor, redemption.amount_minor or 0))
        case PromotionKind.FREE_DAYS:
            left = (redemption.remaining_seconds or 0) + seconds
            most = left if redemption.count is None else redemption.count * SECONDS_OF_DAY
            returned = replace(redemption, remaining_seconds=min(left, most))
        case _:
            return redemption
    # An amount that each period has anew ends with its periods, not with what is left of one.
    if redemption.renews_amount or _is_used_up(returned):
        return returned
    return replace(returned, state=RedemptionState.ACTIVE)


def _place(redemption: Redemption) -> tuple[int, datetime, UUID]:
    return _ORDER.index(redemption.kind), redemption.redeemed_at, redemption.id


def _at_period(redemption: Redemption, period_start: datetime) -> Redemption:
    """The redemption as it enters the period: exhausted when it has no period left for this one."""
    is_spent = redemption.remaining_periods == 0 and _begins(redemption, period_start)
    if is_spent and redemption.state is RedemptionState.ACTIVE:
        return replace(redemption, state=RedemptionState.EXHAUSTED)
    return redemption


def _begins(redemption: Redemption, period_start: datetime) -> bool:
    """Whether the period was not counted yet."""
    counted = redemption.last_period_start
    return counted is None or period_start > counted


def _applies(redemption: Redemption, *, listed_minor: int, currency: Currency) -> bool:
    return (
        redemption.state is RedemptionState.ACTIVE
        and redemption.currency in {None, currency.code}
        and listed_minor >= (redemption.minimum_minor or 0)
    )


def _applied(
    redemption: Redemption, lines: list[_Line], *, currency: Currency, period_start: datetime
) -> Redemption:
    """Reduce the lines, and return what that leaves of the redemption."""
    after = redemption
    match redemption.kind:
        case PromotionKind.FREE_PERIODS:
            cuts = [line.left_minor if line.recurring else 0 for line in lines]
        case PromotionKind.FREE_DAYS:
            cuts, remaining_seconds = _cuts_of_days(redemption, lines, currency=currency)
            after = replace(redemption, remaining_seconds=remaining_seconds)
        case PromotionKind.PERCENTAGE:
            rate = Fraction(redemption.percent or 0) / 100
            cuts = [Money(line.left_minor, currency).share(rate).amount_minor for line in lines]
        case PromotionKind.FIXED_AMOUNT:
            renewed = redemption.renews_amount and _begins(redemption, period_start)
            available = redemption.amount_minor if renewed else redemption.remaining_minor
            cuts = _cuts_of_amount(available or 0, lines, currency=currency)
            if any(cuts):
                after = replace(redemption, remaining_minor=(available or 0) - sum(cuts))
    for line, cut in zip(lines, cuts, strict=True):
        if cut:
            line.left_minor -= cut
            line.discounts.append((redemption.id, cut))
    if any(cuts):
        after = _counted(after, period_start)
    return replace(after, state=RedemptionState.EXHAUSTED) if _is_used_up(after) else after


def _cuts_of_days(
    redemption: Redemption, lines: list[_Line], *, currency: Currency
) -> tuple[list[int], int]:
    """What the free time of each line costs, and how many seconds are then left. The time of lines
    is free from its first instant on, and is used up once where lines cover it together.
    """
    windows = {(line.begins_at, line.ends_at) for line in lines if line.is_billed_service}
    seconds = redemption.remaining_seconds or 0
    free_until = min((begins_at for begins_at, _ in windows), default=redemption.redeemed_at)
    for begins_at, ends_at in sorted(windows):
        unused_from = max(begins_at, free_until)
        needed = -((unused_from - ends_at) // _SECOND)  # rounded up: a started second is used
        if seconds and needed > 0:
            used = min(seconds, needed)
            seconds -= used
            free_until = min(unused_from + used * _SECOND, ends_at)
    return [_cut_until(free_until, line, currency=currency) for line in lines], seconds


def _cut_until(free_until: datetime, line: _Line, *, currency: Currency) -> int:
    """The part of a line that its time before `free_until` costs; that time is free from now on."""
    if not line.is_billed_service or free_until <= line.begins_at:
        return 0
    begins_at = min(free_until, line.ends_at)
    share = Fraction(
        (begins_at - line.begins_at) // _MICROSECOND,
        (line.ends_at - line.begins_at) // _MICROSECOND,
    )
    line.begins_at = begins_at
    return Money(line.left_minor, currency).share(share).amount_minor


def _cuts_of_amount(available_minor: int, lines: list[_Line], *, currency: Currency) -> list[int]:
    """An amount shared over the lines in proportion to what is left of them."""
    left = [line.left_minor for line in lines]
    amount_minor = min(available_minor, sum(left))
    if not amount_minor:
        return [0] * len(lines)
    return [part.amount_minor for part in allocate(Money(amount_minor, currency), left)]


def _counted(redemption: Redemption, period_start: datetime) -> Redemption:
    """The redemption after a use in the period, which counts the first time."""
    periods = redemption.remaining_periods
    if periods is None and not redemption.renews_amount:
        return redemption
    if not _begins(redemption, period_start):
        return redemption
    return replace(
        redemption,
        remaining_periods=None if periods is None else periods - 1,
        last_period_start=period_start,
    )


def _is_used_up(redemption: Redemption) -> bool:
    if redemption.renews_amount:
        return False
    return redemption.remaining_minor == 0 or redemption.remaining_seconds == 0
