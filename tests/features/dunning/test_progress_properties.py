"""Whatever happens to a case, in whatever order: does it keep its promises, and does it end?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import event as noted
from hypothesis import given, settings
from hypothesis import strategies as st

from billwright.features.dunning.rules.case import (
    Case,
    CaseEvent,
    CaseState,
    Declined,
    Finish,
    ManualRetry,
    MethodAdded,
    MethodRemoved,
    NotAttempted,
    Notify,
    Origin,
    Outcome,
    PassOver,
    Paused,
    Restore,
    Restrict,
    Resumed,
    Retry,
    Settled,
    Settlement,
    TimePassed,
    Unsettled,
)
from billwright.features.dunning.rules.local_daytime import in_daytime
from billwright.features.dunning.rules.policy import (
    DunningPolicy,
    EntitlementEffect,
    EntitlementStep,
    FinalAction,
    HardDecline,
    LocalHours,
    NewMethodRetry,
    Notice,
    definition_of,
    policy_of,
)
from billwright.features.dunning.rules.progress import after, due_at, open_case
from billwright.features.payment_providers.model import Decline

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ENDED = {CaseState.RECOVERED, CaseState.CANCELED, CaseState.WRITTEN_OFF}
MOST_TRANSITIONS = 500

zones = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "America/Havana", "Australia/Lord_Howe"]
)
instants = st.integers(0, 4 * 365 * 24 * 60).map(
    lambda minutes: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
hours = st.tuples(st.integers(0, 23), st.integers(1, 24)).map(
    lambda both: LocalHours(opens=both[0], closes=max(both[0] + 1, both[1]))
)
waits = st.integers(1, 15 * 24).map(lambda count: count * HOUR)


@st.composite
def policies(draw: st.DrawFn) -> DunningPolicy:
    schedule = tuple(draw(st.lists(waits, max_size=5)))
    shortest = min(schedule, default=DAY) // timedelta(minutes=1) - 1
    offsets = draw(st.lists(st.integers(-shortest, shortest), max_size=3))
    grace = sorted(draw(st.sets(st.integers(0, 60), max_size=3)))
    effects = [EntitlementEffect.KEEP, EntitlementEffect.READ_ONLY, EntitlementEffect.REVOKE]
    return DunningPolicy(
        schedule=schedule,
        hard_decline=draw(st.sampled_from(HardDecline)),
        retry_on_new_method=draw(st.sampled_from(NewMethodRetry)),
        final_action=draw(st.sampled_from(FinalAction)),
        local_hours=draw(hours),
        max_age=draw(st.integers(0, 30)) * DAY + max(sum(schedule, timedelta()), 60 * DAY),
        notices=tuple(
            Notice(code=f"notice_{index}", offset=timedelta(minutes=offset))
            for index, offset in enumerate(offsets)
        ),
        entitlement_steps=tuple(
            EntitlementStep(after=days * DAY, effect=effect)
            for days, effect in zip(grace, effects, strict=False)
        ),
    )


# What may come after how many hours; a settlement ends the story, and so is rare.
happenings = st.tuples(
    st.integers(0, 24 * 10),
    st.one_of(
        st.sampled_from(
            [TimePassed, Unsettled, NotAttempted, ManualRetry, MethodAdded, MethodRemoved, Resumed]
        ),
        st.sampled_from(Decline),
        st.integers(1, 20),
        st.sampled_from([*[TimePassed] * 20, *Settlement]),
    ),
)


def event_of(what: object, *, at: datetime) -> CaseEvent:
    match what:
        case Decline():
            return Declined(at=at, decline=what)
        case Settlement():
            return Settled(at=at, by=what)
        case int():
            return Paused(at=at, until=at + what * DAY)
        case type():
            return what(at=at)
    raise TypeError(what)


class Story:
    """One case that checks its promises at each transition."""

    def __init__(self, policy: DunningPolicy, *, zone: str, at: datetime, decline: Decline) -> None:
        self.policy, self.zone = policy, zone
        self.at = at
        self.letters: set[tuple[int, str]] = set()
        self.earliest_attempt = at + policy.schedule[0] if policy.schedule else None
        opened = open_case(
            policy, at=at, past_due_at=at, decline=decline, chargeable=True, zone=zone
        )
        self.case = opened.case
        self._check_effects(opened)
        self._check_time(opened.case)

    def take(self, event: CaseEvent) -> None:
        before, self.at = self.case, event.at
        outcome = after(before, event, policy=self.policy, zone=self.zone)
        self.case = outcome.case
        if before.state in ENDED:
            assert outcome == Outcome(before)
            return
        if before.state is CaseState.EXHAUSTED:
            assert isinstance(event, Settled) or outcome == Outcome(before)
            return
        self._check_effects(outcome)
        self._check_step(before, event, outcome)
        self._check_access(before, event, outcome)
        self._check_time(outcome.case)

    def pass_to(self, at: datetime) -> None:
        while (due := due_at(self.case, self.policy)) is not None and due <= at:
            self.take(TimePassed(at=due))

    def _check_effects(self, outcome: Outcome) -> None:
        """Attempts one at a time, scheduled ones by day and not before their wait; no letter twice."""
        retries = [each for each in outcome.effects if isinstance(each, Retry)]
        assert len(retries) <= 1
        for retry in retries:
            assert outcome.case.under_way is retry.origin
            if retry.origin is Origin.SCHEDULED:
                local_hour = self.at.astimezone(ZoneInfo(self.zone)).hour
                assert self.policy.local_hours.opens <= local_hour < self.policy.local_hours.closes
                if self.earliest_attempt is not None:
                    assert self.at >= self.earliest_attempt
        for effect in outcome.effects:
            if isinstance(effect, Notify):
                assert (effect.step, effect.code) not in self.letters
                self.letters.add((effect.step, effect.code))
            if isinstance(effect, Finish):
                assert outcome.case.state is CaseState.EXHAUSTED

    def _check_step(self, before: Case, event: CaseEvent, outcome: Outcome) -> None:
        """Only a declined scheduled attempt, or a step without a method, advances the schedule."""
        case = outcome.case
        was_scheduled = isinstance(event, Declined) and before.under_way is Origin.SCHEDULED
        passed = sum(isinstance(effect, PassOver) for effect in outcome.effects)
        advanced = case.step - before.step
        assert passed <= 1
        assert advanced == min(was_scheduled + passed, len(self.policy.schedule) - before.step)
        if advanced:
            has_next = case.step < len(self.policy.schedule)
            self.earliest_attempt = self.at + self.policy.schedule[case.step] if has_next else None
        if isinstance(event, Unsettled):
            assert case.under_way is not None
            assert (case.next_step_at, case.attempts) == (before.next_step_at, before.attempts)
            assert not any(isinstance(effect, Retry) for effect in outcome.effects)
        if before.under_way is not None and case.under_way is not before.under_way:
            assert isinstance(event, Declined | NotAttempted | Settled)

    def _check_access(self, before: Case, event: CaseEvent, outcome: Outcome) -> None:
        """What is taken follows from the time since past due alone; a settlement gives it all back."""
        case = outcome.case
        if isinstance(event, Settled):
            assert (outcome.effects, case.entitlement_index) == ((Restore(),), 0)
            return
        since = self.at - case.past_due_at
        due = sum(step.after <= since for step in self.policy.entitlement_steps)
        assert case.entitlement_index == (before.entitlement_index if case.paused_until else due)
        taken = [effect.step for effect in outcome.effects if isinstance(effect, Restrict)]
        if case.entitlement_index > before.entitlement_index:
            assert taken == [self.policy.entitlement_steps[case.entitlement_index - 1]]
        else:
            assert taken == []

    def _check_time(self, case: Case) -> None:
        """After a transition nothing is due any more: what is due next lies ahead."""
        due = due_at(case, self.policy)
        assert due is None or due > self.at
        assert (due is None) == (case.state is not CaseState.OPEN) or case.under_way is not None


@settings(deadline=None, max_examples=400)
@given(
    policies(),
    zones,
    instants,
    st.sampled_from(Decline),
    st.lists(happenings, max_size=25),
    st.booleans(),
)
def test_any_story_keeps_the_promises_and_ends(policy, zone, start, decline, story, is_punctual):
    played = Story(policy, zone=zone, at=start, decline=decline)
    for after_hours, what in story:
        at = played.at + after_hours * HOUR
        if is_punctual:
            played.pass_to(at)
        played.take(event_of(what, at=at))
    noted(f"{played.case.state.value} after what happened")
    for _ in range(MOST_TRANSITIONS):
        if played.case.state is not CaseState.OPEN:
            break
        if played.case.under_way is not None:
            played.take(Declined(at=played.at + HOUR, decline=Decline.SOFT))
        else:
            due = due_at(played.case, policy)
            assert due is not None
            played.take(TimePassed(at=due))
    assert played.case.state is not CaseState.OPEN
    assert due_at(played.case, policy) is None


@settings(deadline=None, max_examples=200)
@given(policies(), zones, instants)
def test_left_alone_a_case_makes_every_attempt_of_its_schedule_at_its_time(policy, zone, start):
    case = open_case(
        policy, at=start, past_due_at=start, decline=Decline.SOFT, chargeable=True, zone=zone
    ).case
    expected, made = [start], [start]
    for wait in policy.schedule:
        expected.append(in_daytime(expected[-1] + wait, hours=policy.local_hours, zone=zone))
    while (due := due_at(case, policy)) is not None:
        outcome = after(case, TimePassed(at=due), policy=policy, zone=zone)
        case = outcome.case
        if Retry(Origin.SCHEDULED) in outcome.effects:
            made.append(due)
            case = after(
                case, Declined(at=due, decline=Decline.SOFT), policy=policy, zone=zone
            ).case
    oldest = start + policy.max_age
    assert made == [at for at in expected if at < oldest]
    assert case.ended_at is not None
    assert case.ended_at <= oldest
    assert case.state is CaseState.EXHAUSTED


@settings(deadline=None, max_examples=300)
@given(instants, hours, zones)
def test_daytime_is_reached_soon_and_only_forward(instant, local_hours, zone):
    moved = in_daytime(instant, hours=local_hours, zone=zone)
    assert instant <= moved < instant + timedelta(days=2)
    assert local_hours.opens <= moved.astimezone(ZoneInfo(zone)).hour < local_hours.closes
    assert in_daytime(moved, hours=local_hours, zone=zone) == moved
    minutes = (instant + timedelta(minutes=step) for step in range(0, 60 * 48, 10))
    shown = (each for each in minutes if each < moved)
    assert not any(
        local_hours.opens <= each.astimezone(ZoneInfo(zone)).hour < local_hours.closes
        for each in shown
    )


@settings(deadline=None)
@given(policies())
def test_every_policy_comes_back_from_its_definition(policy):
    assert policy_of(definition_of(policy)) == policy


def test_a_repeated_instant_changes_nothing():
    start = datetime(2026, 6, 1, 8, tzinfo=UTC)
    policy = DunningPolicy()
    case = open_case(
        policy, at=start, past_due_at=start, decline=Decline.SOFT, chargeable=True, zone="UTC"
    ).case
    at = start + DAY
    case = after(case, TimePassed(at=at), policy=policy, zone="UTC").case
    assert after(case, TimePassed(at=at), policy=policy, zone="UTC") == Outcome(case)
