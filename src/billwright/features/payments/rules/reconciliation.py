"""Do a provider's books and ours say the same, and of which time are they compared?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from billwright.features.payment_providers.model import AttemptState
from billwright.kernel.money import Money

# What was paid an hour ago has been told and booked, unless something went wrong.
_SETTLES_WITHIN = timedelta(hours=1)
# What was on its way the last time has mostly come by now.
_OVERLAP = timedelta(days=3)
_FIRST = timedelta(days=30)

_ENDED = frozenset({AttemptState.SUCCEEDED, AttemptState.DECLINED, AttemptState.NOT_ATTEMPTED})


class Difference(StrEnum):
    """`unknown_here`: it is this tenant's, and we know nothing of it. `amount`: it is about other money
    than is booked. `paid_twice`: a second payment or refund under a key that has been used.
    `unpaid_there`: booked as paid, and the provider says that it is not. `missing_there`: booked, and the
    provider has never heard of it. `state`: a refund or a dispute stands otherwise there, and by what is
    known already that is no news that could be booked.
    """

    UNKNOWN_HERE = "unknown_here"
    AMOUNT = "amount"
    PAID_TWICE = "paid_twice"
    UNPAID_THERE = "unpaid_there"
    MISSING_THERE = "missing_there"
    STATE = "state"


@dataclass(frozen=True, slots=True)
class Window:
    """From `since` to before `until`."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """An attempt as we have it, with what has come of its payment."""

    attempt_id: UUID
    payment_id: UUID
    account_id: UUID
    provider_key: str
    provider_reference: str | None
    state: AttemptState
    captured: Money
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """A run that compared everything of a window: payments, refunds and disputes. `mended` is what was
    booked because of it; `differences` are those that no person has resolved yet; `foreign_payments`
    carry another name than this tenant's, or none.
    """

    id: UUID
    provider: str
    window: Window
    compared: int
    mended: int
    differences: int
    foreign_payments: int
    finished_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """How something stands in somebody's books, in the words for such things; `amount` is what was moved
    or is to be moved.
    """

    state: StrEnum
    amount: Money | None


def window_after(last_until: datetime | None, *, now: datetime) -> Window:
    """What the next run compares: all since the last one, and again what may have changed meanwhile."""
    until = now - _SETTLES_WITHIN
    return Window(until - _FIRST if last_until is None else last_until - _OVERLAP, until)


def days_of(window: Window) -> Iterator[Window]:
    """A window in parts of a day at most, the oldest first: no more is kept in mind at once."""
    since = window.since
    while since < window.until:
        until = min(since + timedelta(days=1), window.until)
        yield Window(since, until)
        since = until


def mends(there: AttemptState, *, here: AttemptState) -> bool:
    """Whether the provider knows the end of a payment and we do not. A decline ends only what is live:
    what we have withdrawn is over, whatever the provider calls that.
    """
    if there is AttemptState.SUCCEEDED:
        return here is not AttemptState.SUCCEEDED
    return there is AttemptState.DECLINED and here not in _ENDED


def difference_of(there: Standing | None, *, here: Standing | None) -> Difference | None:
    """What only a person can explain, where nothing can be mended; none of there is no such payment."""
    if here is None:
        # Without money there is nothing to explain.
        has_money = there is not None and there.state is not AttemptState.DECLINED
        return Difference.UNKNOWN_HERE if has_money else None
    if here.state is not AttemptState.SUCCEEDED:
        return None
    if there is None:
        return Difference.MISSING_THERE
    if there.state is not AttemptState.SUCCEEDED:
        return Difference.UNPAID_THERE
    return Difference.AMOUNT if there.amount not in {None, here.amount} else None


def may_be_second(reference: str, *, there: AttemptState, here: Booked) -> bool:
    """Whether what was paid there under our key has another name than what is booked as paid: it is a
    second payment, unless both names are of one.
    """
    both_paid = there is here.state is AttemptState.SUCCEEDED
    return both_paid and here.provider_reference not in {None, reference}
