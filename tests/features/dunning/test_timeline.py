"""Does a simulation tell what the machine would do?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from billwright.features.dunning.rules.policy import (
    DunningPolicy,
    EntitlementEffect,
    EntitlementStep,
    Notice,
)
from billwright.features.dunning.rules.timeline import (
    SupposedOutcome,
    TimelineEntry,
    timeline,
)

SOFT, HARD, PAID = SupposedOutcome
MONDAY = datetime(2026, 6, 1, 10, tzinfo=UTC)
DAY = timedelta(days=1)
POLICY = DunningPolicy(
    schedule=(2 * DAY, 3 * DAY),
    notices=(Notice(code="reminder", offset=-DAY),),
    entitlement_steps=(
        EntitlementStep(after=4 * DAY, effect=EntitlementEffect.DEGRADE, features=("api",)),
    ),
)


def told(*outcomes: SupposedOutcome) -> list[tuple[int, str, int, str | None, int | None]]:
    """The entries by the day on which they come; all come at the hour of the first attempt."""
    entries = timeline(POLICY, opened_at=MONDAY, zone="UTC", outcomes=outcomes)
    assert all((entry.at - MONDAY) % DAY == timedelta() for entry in entries)
    return [
        ((entry.at - MONDAY).days, entry.kind.value, entry.step, entry.value, entry.attempt)
        for entry in entries
    ]


def test_nobody_pays():
    assert told() == [
        (0, "attempt", 0, "soft", 1),
        (1, "notice", 0, "reminder", None),
        (2, "attempt", 1, "soft", 2),
        (4, "access", 1, "degrade", None),
        (4, "notice", 1, "reminder", None),
        (5, "attempt", 2, "soft", 3),
        (5, "final_action", 2, "cancel", None),
    ]


def test_the_last_attempt_is_paid():
    assert told(SOFT, SOFT, PAID)[-2:] == [
        (5, "attempt", 1, "paid", 3),
        (5, "restored", 1, None, None),
    ]


def test_a_hard_decline_is_followed_by_steps_without_attempts():
    assert [entry for entry in told(HARD, PAID) if entry[1] != "notice"] == [
        (0, "attempt", 0, "hard", 1),
        (2, "passed_over", 1, None, None),
        (4, "access", 1, "degrade", None),
        (5, "passed_over", 2, None, None),
        (5, "final_action", 2, "cancel", None),
    ]


def test_what_is_paid_at_once_is_no_case():
    assert told(PAID) == [(0, "attempt", 0, "paid", 1)]


def test_features_that_are_taken_away_are_named():
    entries = timeline(POLICY, opened_at=MONDAY, zone="UTC", outcomes=[])
    (access,) = [entry for entry in entries if entry.features]
    assert access == TimelineEntry(
        at=MONDAY + 4 * DAY, kind=access.kind, step=1, value="degrade", features=("api",)
    )
