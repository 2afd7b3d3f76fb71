"""Which terms may a promotion have?"""

from __future__ import annotations

from decimal import Decimal

from billwright.features.promotions.errors import (
    promotion_currency_missing,
    promotion_duration_periods_mismatch,
    promotion_duration_unfit,
    promotion_maximum_too_low,
    promotion_percent_too_fine,
    promotion_term_missing,
    promotion_term_out_of_range,
    promotion_term_unfit,
    promotion_window_empty,
)
from billwright.features.promotions.model import Duration, Promotion, PromotionKind
from billwright.kernel.currency import currency_of

_TERM_OF = {
    PromotionKind.PERCENTAGE: "percent",
    PromotionKind.FIXED_AMOUNT: "amount",
    PromotionKind.FREE_PERIODS: "count",
    PromotionKind.FREE_DAYS: "count",
}
_PERCENT_PLACES = 4
# As large as one charge may be, a century of days or of months, and what an integer column keeps.
_LARGEST_MINOR = 10**15
_LARGEST_COUNT = {
    PromotionKind.FREE_PERIODS: 1_200,
    PromotionKind.FREE_DAYS: 36_500,
}
_LARGEST_PERIODS = 1_200
_LARGEST_MAXIMUM = 1_000_000_000


def check_terms(promotion: Promotion) -> None:
    """Accept a promotion that has exactly the terms of its kind.

    Refuses: `promotion_term_missing`, `promotion_term_unfit`, `promotion_term_out_of_range`,
    `promotion_percent_too_fine`, `promotion_duration_unfit`,
    `promotion_duration_periods_mismatch`, `promotion_currency_missing`, `currency_unknown`, and
    what `check_limits` refuses.
    """
    _check_benefit(promotion)
    _check_duration(promotion)
    _check_currency(promotion)
    check_limits(promotion)


def check_limits(promotion: Promotion) -> None:
    """Accept what may change in a promotion's life: its window and how often it can be redeemed.

    Refuses: `promotion_term_out_of_range`, `promotion_maximum_too_low`, `promotion_window_empty`.
    """
    maximum = promotion.maximum_redemptions
    _check_range(maximum, "maximum_redemptions", largest=_LARGEST_MAXIMUM)
    _check_range(promotion.maximum_per_account, "maximum_per_account", largest=_LARGEST_MAXIMUM)
    if maximum is not None and maximum < promotion.redemptions:
        raise promotion_maximum_too_low(
            pointer="/maximum_redemptions", redemptions=promotion.redemptions
        )
    begins_at, until = promotion.redeemable_from, promotion.redeemable_until
    if begins_at is not None and until is not None and begins_at >= until:
        raise promotion_window_empty(
            pointer="/redeemable_until",
            begins_at=begins_at.isoformat(),
            until=until.isoformat(),
        )


def _check_benefit(promotion: Promotion) -> None:
    given = {
        "percent": promotion.percent,
        "amount": promotion.amount_minor,
        "count": promotion.count,
    }
    kind, needed = promotion.kind, _TERM_OF[promotion.kind]
    if given[needed] is None:
        raise promotion_term_missing(pointer=f"/{needed}", kind=kind.value, term=needed)
    for term, value in given.items():
        if value is not None and term != needed:
            raise promotion_term_unfit(pointer=f"/{term}", kind=kind.value, term=term)
    _check_range(promotion.percent, "percent", largest=100)
    _check_range(promotion.amount_minor, "amount", largest=_LARGEST_MINOR)
    _check_range(promotion.minimum_minor, "minimum", largest=_LARGEST_MINOR)
    _check_range(promotion.count, "count", largest=_LARGEST_COUNT.get(kind, 0))
    if promotion.percent is not None and promotion.percent.scaleb(_PERCENT_PLACES) % 1:
        raise promotion_percent_too_fine(
            pointer="/percent", percent=str(promotion.percent), places=_PERCENT_PLACES
        )


def _check_duration(promotion: Promotion) -> None:
    counts_itself = promotion.kind in _LARGEST_COUNT
    if counts_itself and promotion.duration is not Duration.ONCE:
        raise promotion_duration_unfit(pointer="/duration", kind=promotion.kind.value)
    if (promotion.duration is Duration.PERIODS) != (promotion.duration_periods is not None):
        raise promotion_duration_periods_mismatch(pointer="/duration_periods")
    _check_range(promotion.duration_periods, "duration_periods", largest=_LARGEST_PERIODS)


def _check_currency(promotion: Promotion) -> None:
    if promotion.currency is not None:
        currency_of(promotion.currency)
    elif promotion.amount_minor is not None or promotion.minimum_minor is not None:
        raise promotion_currency_missing(pointer="/currency")


def _check_range(value: Decimal | int | None, term: str, *, largest: int) -> None:
    if value is not None and not 0 < value <= largest:
        raise promotion_term_out_of_range(pointer=f"/{term}", term=term, largest=largest)
