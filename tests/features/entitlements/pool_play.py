"""What does a pool do, played without a database?

The same rules in the same order as the operations, with a list of events in place of tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Any
from uuid import UUID

from billwright.features.catalog.model import (
    AllowanceChange,
    Combination,
    FeatureTerms,
    Reset,
    ResetKind,
)
from billwright.features.entitlements.model import Allowance, Pool, PoolDefinition
from billwright.features.entitlements.rules.counting import counting_of
from billwright.features.entitlements.rules.granting import Grant, granted, voided
from billwright.features.entitlements.rules.pool import Holding
from billwright.features.entitlements.rules.pool_change import allowance_from, cut_for, redefined
from billwright.features.entitlements.rules.pool_count import (
    begins_with_use,
    brought_up,
    planned,
    questions,
)
from billwright.features.entitlements.rules.pool_settling import (
    balances_now,
    is_over,
    moved_on,
    needs_past,
)
from billwright.features.entitlements.rules.pool_window import first_window
from billwright.features.entitlements.rules.standing import Standing, standing_of
from billwright.features.usage.model import MeterDefinition, UsageTotal, UsageWindow, Used
from billwright.kernel.ids import new_id

ACCOUNT, SUBSCRIPTION = new_id(), new_id()
START = datetime(2026, 3, 1, tzinfo=UTC)
MARCH = (START, datetime(2026, 4, 1, tzinfo=UTC))
APRIL = (MARCH[1], datetime(2026, 5, 1, tzinfo=UTC))
CALLS = MeterDefinition(event_type="api_calls")
NOTHING = Decimal(0)


def march(day: int, hour: int = 0, minute: int = 0) -> datetime:
    return START + timedelta(days=day - 1, hours=hour, minutes=minute)


def calls(
    limits: Mapping[str, int | None] | int | None,
    *,
    period: tuple[datetime, datetime] | None = MARCH,
    on_change: AllowanceChange = AllowanceChange.PRORATE_GRANT,
    reset: Reset | None = None,
    zone: str = "UTC",
    **terms: Any,
) -> PoolDefinition:
    """So many calls of each source in every window; a number is what the plan gives."""
    given = limits if isinstance(limits, Mapping) else {"plan": limits}
    return PoolDefinition(
        account_id=ACCOUNT,
        subscription_id=None,
        feature="api_calls",
        meter="api_calls",
        combination=Combination.ADDITIVE,
        on_change=on_change,
        terms=FeatureTerms(reset=reset or Reset(ResetKind.BILLING_CYCLE), **terms),
        allowances=tuple(
            Allowance(source=source, limit=None if limit is None else Decimal(limit))
            for source, limit in given.items()
        ),
        period=period,
        zone=zone,
    )


@dataclass
class Play:
    """A pool and what is used of it."""

    definition: PoolDefinition
    began_at: datetime = START
    meter: MeterDefinition = CALLS
    events: list[tuple[datetime, Decimal]] = field(default_factory=list)
    holding: Holding = field(init=False)

    def __post_init__(self) -> None:
        window = first_window(self.definition, self.began_at)
        pool = Pool(
            id=new_id(),
            definition=self.definition,
            event_type=self.meter.event_type,
            counting=counting_of(self.meter, self.definition.terms),
            window_start=window.start,
            window_end=window.end,
            carried=NOTHING,
            settled_at=window.start,
            valid_until=None,
            available=NOTHING,
            used_before=NOTHING,
            overage_before=NOTHING,
            limit_neared_at=None,
            limit_reached_at=None,
            closed_at=None,
            version=1,
        )
        allotments = tuple(
            allowance_from(pool, one, at=window.start, now=self.began_at, key=new_id())
            for one in self.definition.allowances
        )
        self.holding = Holding(pool=pool, allotments=allotments)

    def use(self, at: datetime, quantity: float | str | Decimal = 1) -> None:
        self.events.append((at, Decimal(quantity)))

    def look(self, now: datetime) -> Standing:
        self.holding, used = self._count(self.holding, now)
        return standing_of(self.holding.pool, used_of_segment=used, reserved=NOTHING)

    def balances(self, now: datetime) -> dict[UUID, Decimal]:
        self.holding, used = self._count(self.holding, now)
        return balances_now(self.holding.pool, self.holding.allotments, used_of_segment=used)

    def change(self, definition: PoolDefinition, now: datetime) -> None:
        before = self.holding
        cut = cut_for(before, definition, now=now)
        if is_over(cut, now) and (needs_past(cut) or begins_with_use(cut)):
            cut, _ = self._count(cut, now)
        else:
            cut = moved_on(cut, now=now)
        current = replace(cut, pool=replace(cut.pool, definition=before.pool.definition))
        self.holding = redefined(current, definition, now=now, new_id=new_id)

    def grant(self, now: datetime, amount: int | Decimal, **terms: Any) -> UUID:
        self.look(now)
        made = granted(
            Grant(amount=Decimal(amount), reason="test", **terms),
            self.holding.pool,
            key=new_id(),
            now=now,
        )
        self.holding = replace(self.holding, allotments=(*self.holding.allotments, made))
        return made.id

    def void(self, now: datetime, key: UUID) -> None:
        left = self.balances(now)
        allotments = tuple(
            voided(one, left=left[key], now=now) if one.id == key else one
            for one in self.holding.allotments
        )
        self.holding = replace(self.holding, allotments=allotments)

    def _count(self, holding: Holding, now: datetime) -> tuple[Holding, Decimal]:
        count = planned(holding, self.meter, now=now, first_uses=self._first_uses(holding, now))
        answers = [self._used(one) for one in questions(count, [SUBSCRIPTION])]
        counted = brought_up(count, answers, subscriptions=1, total=self.total)
        return counted.holding, counted.used_of_segment

    def _first_uses(self, holding: Holding, now: datetime) -> list[datetime]:
        pool, length = holding.pool, holding.pool.definition.terms.reset.window
        if not begins_with_use(holding) or length is None:
            return []
        uses: list[datetime] = []
        free_from = pool.window_end or pool.window_start
        for at in sorted(at for at, _ in self.events if at <= now):
            if at >= free_from:
                uses.append(at)
                free_from = at + length
        return uses

    def _used(self, window: UsageWindow) -> Used | None:
        within = [amount for at, amount in self.events if window.start <= at < window.end]
        if not within:
            return None
        quantity = max(within) if self.meter.aggregation == "max" else sum(within, NOTHING)
        if self.meter.rounding is not None:
            quantity = quantity.to_integral_value(ROUND_CEILING)
        return Used(quantity=quantity, events=len(within), digest="")

    @property
    def total(self) -> UsageTotal:
        return UsageTotal(
            quantity=sum((amount for _, amount in self.events), NOTHING),
            events=len(self.events),
            revision=0,
        )
