"""What does invoicing keep of charges? The same rules without a database, for histories of the rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from billwright.features.invoicing.model import ChargeId, ChargeKind, LiveCharge, NewCharge
from billwright.features.subscriptions.model import Subscription
from billwright.features.subscriptions.rules.transition import Transition
from billwright.kernel.calendar import Period, Schedule
from tests.histories.ids import next_id

_OWED_ONCE = frozenset(
    {ChargeKind.RECURRING, ChargeKind.ONE_TIME, ChargeKind.USAGE, ChargeKind.MINIMUM}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A charge that was written down, the whole period that it is a part of, the beginning of the period
    whose promotions apply to it, and what was given back of it.
    """

    live: LiveCharge
    whole: Period
    promoted_in: datetime
    credit: NewCharge | None = None

    @property
    def charge(self) -> NewCharge:
        return self.live.charge

    @property
    def is_owed(self) -> bool:
        """Whether it was not taken back from its first instant on."""
        return self.live.reversed_from != self.charge.period_start

    @property
    def served_until(self) -> datetime:
        """Where the time ends that it is owed for after all."""
        return self.live.reversed_from or self.charge.period_end

    @property
    def net_listed_minor(self) -> int:
        """Its amount before discounts, less what was given back of that."""
        given_back = self.credit.amount_minor + self.credit.discount_minor if self.credit else 0
        return self.live.listed_minor + given_back


class Ledger:
    """The charges of one subscription, with the identities that the database would refuse twice."""

    def __init__(self, written: Iterable[Written] = ()) -> None:
        self.written: dict[UUID, Written] = {one.live.id: one for one in written}
        self.total_minor = sum(one.charge.amount_minor for one in self.written.values())

    def copy(self) -> Ledger:
        """The same books, to go on with differently."""
        copied = Ledger(self.written.values())
        copied.total_minor = self.total_minor
        return copied

    def charged(self, *kinds: ChargeKind) -> list[Written]:
        """What is still owed of these kinds."""
        return [one for one in self.written.values() if one.charge.kind in kinds and one.is_owed]

    def live(self, subscription: Subscription, *, at: datetime) -> tuple[LiveCharge, ...]:
        """What covers time after `at` in the running period, as a step is told."""
        return tuple(
            one.live
            for one in self.charged(ChargeKind.RECURRING, ChargeKind.MINIMUM)
            if one.charge.period_end > at
            and one.live.reversed_from is None
            and one.charge.period_start >= subscription.period.start
        )

    def charged_once(self) -> frozenset[UUID]:
        """The components whose one-time charge was made."""
        return frozenset(
            one.charge.plan_component_id
            for one in self.charged(ChargeKind.ONE_TIME)
            if one.charge.plan_component_id
        )

    def write(self, transition: Transition) -> None:
        """Take back what the step's credits name, then write its charges down."""
        for charge in transition.charges:
            assert (charge.kind is ChargeKind.PRORATION_CREDIT) == bool(charge.corrects_charge_id)
            if charge.corrects_charge_id is not None:
                self._take_back(charge.corrects_charge_id, charge)
        for charge in transition.charges:
            if charge.corrects_charge_id is None:
                self._add(charge, transition)
            self.total_minor += charge.amount_minor

    def void(self) -> None:
        """What was charged is not owed: the first payment did not come."""
        for one in self.written.values():
            live = replace(one.live, reversed_from=one.charge.period_start)
            self.written[one.live.id] = replace(one, live=live)

    def _take_back(self, charge_id: UUID, credit: NewCharge) -> None:
        one = self.written[charge_id]
        charge = one.charge
        assert one.live.reversed_from is None, "taken back twice"
        assert charge.period_start <= credit.period_start <= credit.period_end == charge.period_end
        assert credit.plan_component_id == charge.plan_component_id
        assert credit.amount_minor <= 0
        assert credit.discount_minor <= 0
        assert -credit.amount_minor <= one.live.creditable_minor, "more than was charged"
        assert -credit.discount_minor <= charge.discount_minor
        live = replace(
            one.live, credited_minor=-credit.amount_minor, reversed_from=credit.period_start
        )
        self.written[charge_id] = replace(one, live=live, credit=credit)

    def _add(self, charge: NewCharge, transition: Transition) -> None:
        assert charge.kind in _OWED_ONCE
        assert charge.amount_minor >= 0
        assert all(amount_minor > 0 for _, amount_minor in charge.discounts)
        assert not any(
            _identity(one.charge) == _identity(charge) for one in self.charged(*_OWED_ONCE)
        ), f"charged twice: {_identity(charge)}"
        live = LiveCharge(
            id=ChargeId(next_id()), charge=charge, credited_minor=0, reversed_from=None
        )
        schedule, period = _period_of(charge, transition)
        self.written[live.id] = Written(
            live=live, whole=schedule.whole(period.index), promoted_in=period.start
        )


def _identity(charge: NewCharge) -> tuple[object, ...]:
    return charge.plan_component_id, charge.kind, charge.period_start


def _period_of(charge: NewCharge, transition: Transition) -> tuple[Schedule, Period]:
    """The period that a charge belongs to: the one that follows a step, or the one before it."""
    for subscription in (transition.after, transition.before):
        period = subscription.period
        if period.start <= charge.period_start and charge.period_end <= period.end:
            return subscription.schedule, period
    schedule = transition.after.schedule
    return schedule, schedule.containing(charge.period_start)
