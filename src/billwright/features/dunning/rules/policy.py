"""What is done, and when, about an invoice that was not paid?

A policy is data, made from JSON or TOML values by `policy_of`; one that exists is valid. Durations are
elapsed time, written as ISO 8601 in days, hours, minutes and seconds (`P2D`, `PT36H`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from msgspec import Struct, ValidationError, convert, field, to_builtins

from billwright.features.dunning.errors import dunning_policy_invalid
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.kernel.refusal import Refusal

_SHORTEST_WAIT = timedelta(hours=1)
_LONGEST_WAIT = timedelta(days=365)
_LONGEST_AGE = timedelta(days=730)
_MOST_MEMBERS = 20
_NO_TIME = timedelta()
_UNITS = (
    (timedelta(days=1), "P{}D"),
    (timedelta(hours=1), "PT{}H"),
    (timedelta(minutes=1), "PT{}M"),
    (timedelta(seconds=1), "PT{}S"),
)
_CODE = re.compile(r"[a-z][a-z0-9_]{0,49}")


class HardDecline(StrEnum):
    """What follows a decline that no repetition can help: no attempt until there is another method, or
    the next one as if it had been soft.
    """

    STOP = "stop"
    CONTINUE = "continue"


class NewMethodRetry(StrEnum):
    """When a new payment method is tried."""

    IMMEDIATE = "immediate"
    AT_NEXT_STEP = "at_next_step"


class FinalAction(StrEnum):
    """What becomes of the subscription once the schedule is used up."""

    CANCEL = "cancel"
    MARK_UNPAID = "mark_unpaid"
    LEAVE_PAST_DUE = "leave_past_due"


class EntitlementEffect(StrEnum):
    """What is left of a subscription's access, from all of it to nothing."""

    KEEP = "keep"
    DEGRADE = "degrade"
    READ_ONLY = "read_only"
    REVOKE = "revoke"


class Restoration(StrEnum):
    """When access comes back: in the transaction that records the payment."""

    IMMEDIATE = "immediate"


class Scope(StrEnum):
    """Whose access an unpaid invoice restricts: that of the subscriptions on it, or of all that the
    account has.
    """

    INVOICE = "invoice"
    ACCOUNT = "account"


class LocalHours(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The hours of the account's day in which attempts are made: from `opens` up to `closes`."""

    opens: int = 9
    closes: int = 17


class Notice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message of each wait: so long after the wait began or, negative, before the next step."""

    code: str
    offset: timedelta


class EntitlementStep(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left of access from `after` on, counted since the subscription became past due.

    It replaces the step before it. `features` are the codes of those that are taken away, for
    `degrade` alone.
    """

    after: timedelta
    effect: EntitlementEffect
    features: tuple[str, ...] = ()


class DunningPolicy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When an unpaid invoice is tried again and what happens meanwhile and in the end.

    `schedule` are the waits, each after the attempt before it was declined. `minimums` are in major
    units by currency: an invoice on which less is due is not pursued and stays open. Making one that
    is not valid refuses `dunning_policy_invalid`.
    """

    schedule: tuple[timedelta, ...] = tuple(timedelta(days=days) for days in (2, 5, 7, 7))
    hard_decline: HardDecline = HardDecline.STOP
    retry_on_new_method: NewMethodRetry = NewMethodRetry.IMMEDIATE
    final_action: FinalAction = FinalAction.CANCEL
    minimums: dict[str, Decimal] = field(default_factory=dict)
    local_hours: LocalHours = LocalHours()
    max_age: timedelta = timedelta(days=60)
    notices: tuple[Notice, ...] = (
        Notice(code="payment_missing", offset=timedelta()),
        Notice(code="reminder", offset=timedelta(days=-1)),
    )
    entitlement_steps: tuple[EntitlementStep, ...] = (
        EntitlementStep(after=timedelta(), effect=EntitlementEffect.KEEP),
        EntitlementStep(after=timedelta(days=14), effect=EntitlementEffect.READ_ONLY),
        EntitlementStep(after=timedelta(days=21), effect=EntitlementEffect.REVOKE),
    )
    restoration: Restoration = Restoration.IMMEDIATE
    scope: Scope = Scope.INVOICE

    def __post_init__(self) -> None:
        _check_schedule(self.schedule, max_age=self.max_age)
        _check_hours(self.local_hours)
        _check_minimums(self.minimums)
        _check_notices(self.notices, schedule=self.schedule)
        _check_entitlement_steps(self.entitlement_steps, max_age=self.max_age)

    def pursues(self, due: Money) -> bool:
        """Whether it is worth an attempt: something is due, and not less than the minimum."""
        minimum = self.minimums.get(due.currency.code, Decimal())
        return due.amount_minor > 0 and due.to_decimal() >= minimum


def policy_of(definition: dict[str, Any]) -> DunningPolicy:
    """The policy that JSON or TOML values describe; what they leave out is as in the default.

    Refuses: `dunning_policy_invalid`, also for a member that no policy has.
    """
    try:
        return convert(definition, DunningPolicy)
    except ValidationError as error:
        pointer = _pointer(str(error))
        problem = str(error).partition(" - at ")[0].replace("`", "")
        raise _invalid(pointer, problem=f"is not as it should be: {problem}") from None


def definition_of(policy: DunningPolicy) -> dict[str, Any]:
    """The policy in JSON values, all members spelled out; `policy_of` makes it again."""
    definition: dict[str, Any] = _spelled_out(to_builtins(policy, builtin_types=(timedelta,)))
    return definition


def _spelled_out(value: Any) -> Any:
    match value:
        case dict():
            return {name: _spelled_out(member) for name, member in value.items()}
        case list() | tuple():
            return [_spelled_out(member) for member in value]
        case timedelta():
            return _duration_text(value)
        case _:
            return value


def _duration_text(duration: timedelta) -> str:
    """In the largest unit of which it is a whole number, as a person writes it."""
    size = abs(duration)
    sign = "-" if duration < _NO_TIME else ""
    for unit, form in _UNITS:
        if not size % unit:
            return sign + form.format(size // unit)
    text: str = to_builtins(duration)
    return text


def _pointer(problem: str) -> str:
    """Where the problem is, as a JSON pointer; the library tells it as `$.notices[0].code`."""
    _, _, path = problem.partition(" - at ")
    members = [index or name for index, name in re.findall(r"\[(\d+)\]|\.(\w+)", path)]
    if unknown := re.search(r"unknown field `([^`]*)`", problem):
        members.append(unknown[1].replace("~", "~0").replace("/", "~1"))
    return "".join(f"/{member}" for member in members)


def _invalid(pointer: str, *, problem: str) -> Refusal:
    return dunning_policy_invalid(pointer=pointer, reason=f"{pointer or 'The policy'} {problem}.")


def _check_length(members: Sequence[object], *, pointer: str) -> None:
    if len(members) > _MOST_MEMBERS:
        raise _invalid(pointer, problem=f"has more than {_MOST_MEMBERS} members")


def _check_schedule(schedule: Sequence[timedelta], *, max_age: timedelta) -> None:
    _check_length(schedule, pointer="/schedule")
    for index, wait in enumerate(schedule):
        if not _SHORTEST_WAIT <= wait <= _LONGEST_WAIT:
            raise _invalid(
                f"/schedule/{index}", problem="is not between an hour (PT1H) and a year (P365D)"
            )
    if not _SHORTEST_WAIT <= max_age <= _LONGEST_AGE:
        raise _invalid("/max_age", problem="is not between an hour (PT1H) and two years (P730D)")
    if max_age < sum(schedule, _NO_TIME):
        raise _invalid("/max_age", problem="is shorter than the waits of the schedule together")


def _check_hours(hours: LocalHours) -> None:
    if not 0 <= hours.opens <= 23:
        raise _invalid("/local_hours/opens", problem="is not an hour from 0 to 23")
    if not hours.opens < hours.closes <= 24:
        raise _invalid("/local_hours/closes", problem="is not an hour after opens and up to 24")


def _check_minimums(minimums: dict[str, Decimal]) -> None:
    for code, amount in minimums.items():
        pointer = f"/minimums/{code}"
        if not amount.is_finite() or amount < 0:
            raise _invalid(pointer, problem="is not an amount from zero on")
        try:
            Money.from_decimal(amount, currency_of(code))
        except Refusal as refusal:
            raise _invalid(pointer, problem=f"cannot be charged: {refusal.detail[:-1]}") from None


def _check_notices(notices: Sequence[Notice], *, schedule: Sequence[timedelta]) -> None:
    _check_length(notices, pointer="/notices")
    shortest = min(schedule, default=_LONGEST_WAIT)
    codes = set()
    for index, notice in enumerate(notices):
        pointer = f"/notices/{index}"
        if not _CODE.fullmatch(notice.code):
            raise _invalid(
                f"{pointer}/code", problem="is not made of small letters, digits and underscores"
            )
        if notice.code in codes:
            raise _invalid(f"{pointer}/code", problem="is the code of another notice")
        codes.add(notice.code)
        if not -shortest < notice.offset < shortest:
            raise _invalid(
                f"{pointer}/offset", problem="reaches beyond the shortest wait of the schedule"
            )


def _check_entitlement_steps(steps: Sequence[EntitlementStep], *, max_age: timedelta) -> None:
    _check_length(steps, pointer="/entitlement_steps")
    effects = list(EntitlementEffect)
    for index, step in enumerate(steps):
        pointer = f"/entitlement_steps/{index}"
        if not _NO_TIME <= step.after <= max_age:
            raise _invalid(f"{pointer}/after", problem="is negative or greater than max_age")
        if bool(step.features) != (step.effect is EntitlementEffect.DEGRADE):
            raise _invalid(
                f"{pointer}/features", problem="must be given for degrade, and only then"
            )
        _check_length(step.features, pointer=f"{pointer}/features")
        if index == 0:
            continue
        before = steps[index - 1]
        if step.after <= before.after:
            raise _invalid(f"{pointer}/after", problem="is not later than the step before it")
        if effects.index(step.effect) < effects.index(before.effect):
            raise _invalid(f"{pointer}/effect", problem="is milder than the step before it")
