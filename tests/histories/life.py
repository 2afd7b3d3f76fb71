"""How does a subscription live without a database? Commands by the real rules, charges in a ledger."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, TypeVar
from uuid import UUID

from billwright.features.catalog.model import PlanTerms, PlanVersion
from billwright.features.promotions.model import Promotion, Redemption, RedemptionState
from billwright.features.promotions.rules.new_redemption import new_redemption
from billwright.features.subscriptions.model import (
    Activation,
    Commanded,
    OnPaymentFailure,
    Subscription,
    SubscriptionId,
    SubscriptionItem,
    SubscriptionState,
)
from billwright.features.subscriptions.operations.schedule_change import (
    ChangeTiming,
    schedule_change,
)
from billwright.features.subscriptions.rules.backdating import caught_up
from billwright.features.subscriptions.rules.beginning import planned_trial
from billwright.features.subscriptions.rules.change import Target
from billwright.features.subscriptions.rules.decision import keep_decision
from billwright.features.subscriptions.rules.due import take_step
from billwright.features.subscriptions.rules.items import items_of
from billwright.features.subscriptions.rules.next_action import next_action_at
from billwright.features.subscriptions.rules.periods import schedule_from
from billwright.features.subscriptions.rules.service_charges import used_stretches
from billwright.features.subscriptions.rules.transition import ChargingTerms, Facts, Transition
from billwright.features.usage.model import Used
from billwright.kernel.event import Event
from tests.histories.ids import next_id
from tests.histories.ledger import Ledger
from tests.histories.served import ServedTime

_Answer = TypeVar("_Answer")
_STANDING_STILL = frozenset({SubscriptionState.PAUSED, SubscriptionState.UNPAID})
_WITH_LIVE_CHARGES = _STANDING_STILL | {SubscriptionState.ACTIVE, SubscriptionState.PAST_DUE}
# A history of a few commands never needs more.
_MOST_STEPS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How a subscription begins."""

    at: datetime
    currency: str
    zone: str
    terms: ChargingTerms
    quantity: Decimal = Decimal(1)
    trial_days: int | None = None
    activation: Activation = Activation.IMMEDIATE
    promotions: tuple[Promotion, ...] = ()


@dataclass(repr=False)
class Life:
    """One subscription, the plans that there are, its ledger, and what it was served.

    It stands in for an operation's opened subscription, so that operations which schedule work here.
    """

    plans: tuple[PlanVersion, ...]
    start: Start
    subscription: Subscription
    now: datetime
    zone: str
    has_payment_method: bool = True
    ledger: Ledger = field(default_factory=Ledger)
    service: ServedTime = field(default_factory=ServedTime)
    redemptions: dict[UUID, Redemption] = field(default_factory=dict)
    used: list[tuple[datetime, Decimal]] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)

    def _repr_pretty_(self, printer: Any, _: bool) -> None:
        """What it began with, in few words; the commands that follow say the rest."""
        plans = "; ".join(plan_in_words(plan, currency=self.start.currency) for plan in self.plans)
        offers = [promotion_in_words(one) for one in self.start.promotions]
        start = replace(self.start, promotions=())
        printer.text(f"begun({plans}; {start}, {offers}, now={self.now})")

    @property
    def version(self) -> PlanVersion:
        """The plan version that the subscription has."""
        return self.version_by_id(self.subscription.plan_version_id)

    def version_by_id(self, version_id: UUID) -> PlanVersion:
        """One of the plans."""
        return next(one for one in self.plans if one.id == version_id)

    def copy(self) -> Life:
        """The same life, to go on with differently."""
        return replace(
            self,
            ledger=self.ledger.copy(),
            service=self.service.copy(),
            redemptions=dict(self.redemptions),
            used=list(self.used),
            transitions=list(self.transitions),
        )

    def facts_at(self, at: datetime) -> Facts:
        """What a step at that instant is told."""
        subscription, version = self.subscription, self.version
        is_inside = subscription.state in _STANDING_STILL or (
            subscription.state in _WITH_LIVE_CHARGES and at < subscription.period.end
        )
        live = self.ledger.live(subscription, at=at) if is_inside else ()
        returnable = {key for one in live for key, _ in one.charge.discounts}
        return Facts(
            version=version,
            terms=self.start.terms,
            zone=self.zone,
            has_payment_method=self.has_payment_method,
            live=live,
            taken_back=tuple(
                self.ledger.written[key].live for key in subscription.pause.taken_back
            ),
            live_versions={
                component.id: plan for plan in self.plans for component in plan.components
            },
            used=self._used_until(at),
            cutoff=self.now,
            redemptions=tuple(
                one
                for one in self.redemptions.values()
                if one.state is RedemptionState.ACTIVE or one.id in returnable
            ),
            charged_once=(
                self.ledger.charged_once()
                if is_inside or subscription.pending_change
                else frozenset()
            ),
        )

    def _used_until(self, at: datetime) -> dict[UUID, Used]:
        if self.subscription.state not in _WITH_LIVE_CHARGES:
            return {}
        used: dict[UUID, Used] = {}
        for stretch in used_stretches(self.subscription, self.version, until=at):
            found = [units for when, units in self.used if stretch.start <= when < stretch.end]
            if found:
                used[stretch.component.id] = Used(
                    quantity=sum(found, Decimal(0)), events=len(found), digest="0"
                )
        return used

    def make(self, transition: Transition) -> None:
        """Store a step."""
        before, after = transition.before, transition.after
        assert after.version == before.version + 1 or before.version == 0
        if after.state is SubscriptionState.EXPIRED:
            self.ledger.void()
        self.ledger.write(transition)
        for one in transition.redemptions:
            self.redemptions[one.id] = one
        self.service.note(transition, versions=self.plans)
        self.transitions.append(transition)
        self.subscription = after

    def catch_up(self) -> None:
        """Take every step that is due, and prove that then none is."""
        for _ in range(_MOST_STEPS):
            at = self.subscription.next_action_at
            if at is None or at > self.now:
                return
            pending = self.subscription.pending_change
            following = self.version_by_id(pending.plan_version_id) if pending else self.version
            self.make(
                take_step(self.subscription, self.facts_at(at), following=following, now=self.now)
            )
        raise AssertionError("the subscription comes back to the same step for ever")

    async def facts(self, _: Any, *, at: datetime) -> Facts:
        """As an opened subscription answers it."""
        return self.facts_at(at)

    async def note(self, _: Any, decided: Subscription, *, action: str, event: Event) -> Commanded:
        """As an opened subscription keeps a decision."""
        transition = keep_decision(
            self.subscription,
            decided=decided,
            version=self.version,
            action=action,
            event=event,
            now=self.now,
        )
        return await self.apply(None, transition)

    async def apply(self, _: Any, transition: Transition) -> Commanded:
        """As an opened subscription stores it."""
        self.make(transition)
        return Commanded(transition.after, transition.version)

    @property
    def tx(self) -> Any:
        """What scheduling needs of a transaction: its instant."""
        return SimpleNamespace(now=self.now)

    def change_to(self, target: Target, timing: ChangeTiming) -> None:
        """Change as the operation would, now or later. Whether it is paid is not told here."""
        opened: Any = self
        kept = replace(timing, on_payment_failure=OnPaymentFailure.APPLY_AND_PAST_DUE)
        answered(schedule_change(self.tx, opened, target=target, timing=kept))

    def items(self, version: PlanVersion, *, quantity: Decimal) -> tuple[SubscriptionItem, ...]:
        """So many units of every component that is not an add-on."""
        units = {one.code: quantity for one in version.components if not one.optional}
        return items_of(version, units)

    def redeem(self, promotion: Promotion) -> None:
        """Get a promotion."""
        redemption_id: Any = next_id()
        self.redemptions[redemption_id] = new_redemption(
            promotion,
            redemption_id=redemption_id,
            account_id=self.subscription.account_id,
            subscription_id=self.subscription.id,
            at=self.now,
        )

    def decide(self, **changes: Any) -> None:
        """What has no price: to undo, to schedule an end, to say whether it renews."""
        before = self.subscription
        decided = replace(before, **changes, version=before.version + 1, updated_at=self.now)
        self.make(
            Transition(
                action="subscription.decide",
                before=before,
                after=replace(decided, next_action_at=next_action_at(decided)),
                version=self.version,
                at=self.now,
            )
        )


def begun(plans: tuple[PlanVersion, ...], start: Start, *, now: datetime) -> Life:
    """A subscription to the first plan; one that starts in the past is caught up with."""
    version = plans[0]
    schedule = schedule_from(start.at, version=version, zone=start.zone)
    units = {one.code: start.quantity for one in version.components if not one.optional}
    subscription = Subscription(
        id=SubscriptionId(next_id()),
        number=1,
        external_id=None,
        account_id=next_id(),
        plan_version_id=version.id,
        state=SubscriptionState.SCHEDULED,
        activation=start.activation,
        currency=start.currency,
        schedule=schedule,
        period=schedule.containing(start.at),
        items=items_of(version, units),
        started_at=start.at,
        next_action_at=start.at,
        trial=planned_trial(version, start=start.at, days=start.trial_days, zone=start.zone),
        test_clock_id=None,
        version=0 if start.at <= now else 1,
        created_at=now,
        updated_at=now,
    )
    life = Life(plans=plans, start=start, subscription=subscription, now=now, zone=start.zone)
    for promotion in start.promotions:
        life.redeem(promotion)
    if start.at <= now:
        facts = life.facts_at(start.at)
        life.make(caught_up(subscription, facts, now=now))
    return life


def answered(operation: Coroutine[Any, Any, _Answer]) -> _Answer:
    """What an operation answers that waits for nothing."""
    try:
        operation.send(None)
    except StopIteration as end:
        answer: _Answer = end.value
        return answer
    raise AssertionError("the operation waits for something")


def plan_in_words(plan: PlanVersion, *, currency: str) -> str:
    """What is not usual about a plan."""
    components = ", ".join(
        f"{one.code} ({one.kind} {one.timing}{' optional' if one.optional else ''}"
        f" {one.prices[currency]} free={one.free_units} minimum={one.minimums.get(currency)})"
        for one in plan.components
    )
    return (
        f"{plan.plan_code}: {plan.interval.count} {plan.interval.unit} {_terms(plan)} {components}"
    )


def _terms(plan: PlanVersion) -> str:
    usual = PlanTerms()
    names = [one.name for one in fields(usual)]
    told = {name: getattr(plan.terms, name) for name in names}
    return str({name: value for name, value in told.items() if value != getattr(usual, name)})


def promotion_in_words(promotion: Promotion) -> str:
    """What it gives."""
    gives = promotion.percent or promotion.amount_minor or promotion.count
    return f"{promotion.kind} {gives} {promotion.duration} {promotion.duration_periods}"
