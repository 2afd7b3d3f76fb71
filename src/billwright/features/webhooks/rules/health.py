"""How is an endpoint doing after a few answers, and how much is sent there next?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from billwright.features.webhooks.model import DisabledReason, Health, WebhookAnswer
from billwright.features.webhooks.rules.next_attempt import wished_pause

# So many events are sent at once; to an endpoint that seems to be down, one.
_AT_A_TIME = 20
_SEEMS_DOWN = 5
_FIRST_REST = timedelta(minutes=1)
_LONGEST_REST = timedelta(minutes=15)
GIVEN_UP_AFTER = timedelta(days=5)


def at_a_time(health: Health) -> int:
    """How many events an endpoint gets at once."""
    return 1 if health.failures >= _SEEMS_DOWN else _AT_A_TIME


def health_after(health: Health, answers: Sequence[WebhookAnswer], *, now: datetime) -> Health:
    """The endpoint's state after these answers, which came at about the same time.

    One success makes it well again. After several failures without one it rests, a minute at first and
    then up to a quarter of an hour, so that an endpoint that is down costs next to nothing. It also
    rests for as long as it asks (`Retry-After`).
    """
    wished = max((wished_pause(answer.retry_after_seconds) for answer in answers), default=None)
    rest = wished or timedelta()
    if any(answer.is_accepted for answer in answers):
        return Health(rests_until=now + rest if rest else None)
    failures = health.failures + len(answers)
    if failures >= _SEEMS_DOWN:
        doublings = min(failures - _SEEMS_DOWN, 10)
        rest = max(rest, min(_FIRST_REST * (1 << doublings), _LONGEST_REST))
    return Health(
        failures=failures,
        failing_since=health.failing_since or now,
        rests_until=now + rest if rest else None,
    )


def disabled_by(
    health: Health, answers: Sequence[WebhookAnswer], *, now: datetime
) -> DisabledReason | None:
    """Why nothing is to be sent there any more, if so; `health` is the one after the answers."""
    if any(answer.is_gone for answer in answers):
        return DisabledReason.GONE
    if health.failing_since is not None and now - health.failing_since >= GIVEN_UP_AFTER:
        return DisabledReason.FAILING
    return None
