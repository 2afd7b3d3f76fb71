"""Is a pool always what comes out when everything is told one after the other?

The reference does not know of segments, steps or balances that are kept: it takes each event by itself
from what there is, in the order of time, from the very beginning.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from billwright.features.catalog.model import AllowanceChange, Reset, ResetKind
from billwright.features.entitlements.model import AllotmentKind
from billwright.features.entitlements.rules.counting import NOTHING_COUNTED
from billwright.features.entitlements.rules.pool import in_burn_order
from billwright.kernel.calendar import Interval, IntervalUnit
from tests.features.entitlements.pool_play import START, Play, calls

DAY = timedelta(days=1)
NOTHING = Decimal(0)
RESET, CHANGE, USE = range(3)


@dataclass
class Part:
    """The allowance, or a grant."""

    key: UUID | None
    amount: Decimal
    begins_at: datetime
    ends_at: datetime | None
    priority: int
    created: int
    rollover: tuple[Decimal, Decimal] = (NOTHING, NOTHING)
    every: timedelta | None = None
    voided_at: datetime | None = None
    balance: Decimal = NOTHING

    def is_there(self, at: datetime) -> bool:
        return self.begins_at <= at and (self.ends_at is None or at < self.ends_at)


@dataclass
class Reference:
    """Days that are windows, with an allowance that changes, and grants."""

    limit: Decimal
    preserves: bool
    on_change: AllowanceChange
    parts: list[Part] = field(default_factory=list)
    changes: list[tuple[datetime, Decimal]] = field(default_factory=list)
    uses: list[tuple[datetime, Decimal]] = field(default_factory=list)

    def numbers(
        self, now: datetime
    ) -> tuple[Decimal, Decimal, Decimal, dict[UUID | None, Decimal]]:
        """Used, overage, what is left, and of what."""
        allowance = Part(None, self.limit, START, None, 100, 0, balance=self.limit)
        parts = [replace(one) for one in self.parts]
        self._used = self._over = NOTHING
        self._limit = self.limit
        for at, order, what in self._journal(parts, now):
            if order == RESET:
                self._begin_anew([allowance, *parts], at)
            elif order == CHANGE:
                self._change(allowance, what, at)
            else:
                self._used += what
                self._over += self._take([allowance, *parts], what, at)
        there = [
            one for one in [allowance, *parts] if one.is_there(now) and not self._gone(one, now)
        ]
        left = sum((max(one.balance, NOTHING) for one in there), NOTHING)
        balances = {one.key: one.balance for one in there}
        return self._used, self._over, left, balances

    def _journal(self, parts, now):
        days = (now - START) // DAY
        journal = [(START + number * DAY, RESET, None) for number in range(1, days + 1)]
        journal += [(at, CHANGE, limit) for at, limit in self.changes]
        journal += [(at, USE, amount) for at, amount in self.uses]
        for one in parts:
            journal.append((one.begins_at, CHANGE, one))
            at = one.begins_at + one.every if one.every else None
            while at is not None and at <= now and one.is_there(at) and not self._gone(one, at):
                journal.append((at, CHANGE, one))
                at += one.every
        return sorted((entry for entry in journal if entry[0] <= now), key=lambda one: one[:2])

    def _gone(self, one, at):
        return one.voided_at is not None and one.voided_at <= at

    def _begin_anew(self, parts, at):
        self._used = NOTHING
        carried, self._over = (self._over if self.preserves else NOTHING), NOTHING
        for one in parts:
            if one.key is None:
                one.balance = self._limit
            elif one.begins_at < at:
                least, most = one.rollover
                one.balance = min(most, max(least, one.balance))
                # An issue at the same instant comes afterwards, but before the first use.
                if one.every and (at - one.begins_at) % one.every == timedelta(0):
                    one.balance = one.amount
        # What begins at the same instant is there already.
        for one in parts:
            if one.key is not None and one.begins_at == at:
                one.balance = one.amount
        if carried:
            self._used += carried
            self._over += self._take(parts, carried, at)
            self._carried_at = at

    def _change(self, allowance, what, at):
        if isinstance(what, Part):
            # Done at the reset already, before what was carried over was taken.
            if (at - START) % DAY != timedelta(0) or at == START:
                what.balance = what.amount
            return
        difference = what - self._limit
        if self.on_change is AllowanceChange.GRANT_FULL and difference:
            allowance.balance = what
        elif self.on_change is AllowanceChange.GRANT_DELTA:
            allowance.balance += difference
        elif difference:
            passed = (at - START) % DAY
            share = difference * ((DAY - passed) // timedelta(minutes=1)) / Decimal(1440)
            allowance.balance += round(share, 6)
        self._limit = what

    def _take(self, parts, amount, at):
        day_end = START + ((at - START) // DAY + 1) * DAY
        there = [one for one in parts if one.is_there(at) and not self._gone(one, at)]
        far = START + 10_000 * DAY
        there.sort(
            key=lambda one: (
                one.priority,
                (one.ends_at or far) if one.key is not None else day_end,
                one.created,
            )
        )
        for one in there:
            taken = min(max(one.balance, NOTHING), amount)
            one.balance -= taken
            amount -= taken
        return amount


AMOUNTS = st.integers(0, 300).map(Decimal)
MINUTES = st.integers(1, 2000)


class Pools(RuleBasedStateMachine):
    """One pool and its reference through whatever happens to it."""

    @initialize(
        limit=AMOUNTS,
        preserves=st.booleans(),
        on_change=st.sampled_from(list(AllowanceChange)),
    )
    def begin(self, limit, preserves, on_change):
        self.terms = {
            "reset": Reset(ResetKind.CALENDAR, interval=Interval(IntervalUnit.DAY)),
            "preserve_overage": preserves,
            "on_change": on_change,
        }
        self.play = Play(calls(int(limit), **self.terms))
        self.reference = Reference(limit, preserves, on_change)
        self.now = START
        self.created = 1
        # Of two changes of an allowance at one instant, the order would count.
        self.changed_at = START

    @rule(minutes=MINUTES)
    def pass_time(self, minutes):
        self.now += timedelta(minutes=minutes)

    @rule(amount=AMOUNTS, share=st.integers(0, 10))
    def use(self, amount, share):
        """Now, or earlier in this window, which becomes known late."""
        start = START + (self.now - START) // DAY * DAY
        at = start + (self.now - start) * share // 10
        self.play.use(at, amount)
        self.reference.uses.append((at, amount))

    @precondition(lambda self: self.now > self.changed_at)
    @rule(limit=AMOUNTS)
    def change(self, limit):
        self.play.change(calls(int(limit), **self.terms), self.now)
        self.reference.changes.append((self.now, limit))
        self.changed_at = self.now

    @rule(
        amount=st.integers(1, 200).map(Decimal),
        begins_in=st.integers(0, 1500),
        lasts=st.none() | st.integers(1, 3000),
        priority=st.sampled_from([50, 100, 150]),
        least=st.integers(0, 50).map(Decimal),
        every=st.none() | st.integers(1, 3),
    )
    def grant(self, amount, begins_in, lasts, priority, least, every):
        begins_at = self.now + timedelta(minutes=begins_in)
        ends_at = None if lasts is None else begins_at + timedelta(minutes=lasts)
        most = amount + least
        key = self.play.grant(
            self.now,
            amount,
            effective_at=begins_at,
            expires_at=ends_at,
            priority=priority,
            rollover_min=least,
            rollover_max=most,
            recurrence=None if every is None else Interval(IntervalUnit.DAY, every),
        )
        self.reference.parts.append(
            Part(
                key,
                amount,
                begins_at,
                ends_at,
                priority,
                self.created,
                rollover=(least, most),
                every=None if every is None else timedelta(days=every),
            )
        )
        self.created += 1

    @precondition(lambda self: any(one.voided_at is None for one in self.reference.parts))
    @rule(data=st.data())
    def void(self, data):
        alive = [
            one
            for one in self.reference.parts
            if one.voided_at is None and (one.ends_at is None or self.now < one.ends_at)
        ]
        if alive:
            one = data.draw(st.sampled_from(alive))
            self.play.void(self.now, one.key)
            one.voided_at = self.now

    @rule()
    def look(self):
        """Settling in between changes nothing."""
        self.play.look(self.now)

    @rule()
    def forget_what_was_counted(self):
        self.play.holding = replace(self.play.holding, counted=NOTHING_COUNTED)

    @invariant()
    def the_same_comes_out(self):
        if not hasattr(self, "play"):
            return
        # A copy looks, so that only some steps settle the pool itself.
        copy = replace(self.play.holding)
        standing = self.play.look(self.now)
        balances = self.play.balances(self.now)
        self.play.holding = copy
        used, overage, left, of_parts = self.reference.numbers(self.now)
        assert (standing.used, standing.overage, standing.left) == (used, overage, left)
        for key, balance in of_parts.items():
            if key is not None:
                assert balances[key] == balance


Pools.TestCase.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)
TestPools = Pools.TestCase


@given(
    terms=st.lists(
        st.tuples(
            st.integers(0, 3), st.none() | st.integers(1, 3), st.integers(0, 2), st.booleans()
        ),
        max_size=6,
    )
)
def test_the_burn_order_is_priority_expiry_creation_and_id(terms):
    play = Play(calls(10))
    for priority, expires_in, created_in, _ in terms:
        play.grant(
            START + timedelta(hours=created_in),
            5,
            priority=priority,
            expires_at=None if expires_in is None else START + 10 * expires_in * DAY,
        )
    ordered = in_burn_order(play.holding.allotments, play.holding.pool.window_end)
    end = play.holding.pool.window_end
    keys = [
        (
            one.priority,
            one.expires_at
            or (end if one.kind is AllotmentKind.ALLOWANCE else None)
            or START.max.replace(tzinfo=START.tzinfo),
            one.created_at,
            one.id,
        )
        for one in ordered
    ]
    assert keys == sorted(keys)


@given(
    uses=st.lists(st.tuples(st.integers(0, 9000), st.integers(1, 40)), max_size=12),
    looks=st.lists(st.integers(0, 10_000), max_size=6),
    preserves=st.booleans(),
    window=st.sampled_from([60, 1000]),
)
def test_windows_that_begin_with_a_use_are_the_same_in_one_step_or_many(
    uses, looks, preserves, window
):
    reset = Reset(ResetKind.FIXED_WINDOW, window=timedelta(minutes=window))
    once, often = (Play(calls(50, reset=reset, preserve_overage=preserves)) for _ in range(2))
    for play in (once, often):
        play.grant(START, 30, expires_at=START + timedelta(minutes=5000))
    journal = sorted(
        [(minute, amount) for minute, amount in uses] + [(one, None) for one in looks],
        key=lambda entry: entry[0],
    )
    for minute, amount in journal:
        at = START + timedelta(minutes=minute)
        if amount is None:
            often.look(at)
        else:
            once.use(at, amount)
            often.use(at, amount)
    end = START + timedelta(minutes=10_001)
    first, second = once.look(end), often.look(end)
    assert (first.used, first.overage, first.left) == (second.used, second.overage, second.left)
    assert first.pool.window_start == second.pool.window_start
