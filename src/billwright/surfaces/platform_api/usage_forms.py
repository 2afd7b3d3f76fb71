"""Has each event of a batch the documented form, and whose usage is it?

What the decoder can say cheaply, it has said. Types and quantities repeat, so that each is looked at
once; and text without a backslash has no control character, because JSON escapes them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from uuid import UUID

import msgspec

from billwright.features.subscriptions.model import UsageSubject
from billwright.surfaces.platform_api.usage_models import (
    PROPERTY_PATTERN,
    QUANTITY_PATTERN,
    TYPE_PATTERN,
    UsageEventInput,
)
from billwright.surfaces.web.structs import refused

_MOST_PROPERTIES = 20
_YEARS = range(1970, 2200)
_TYPE = re.compile(TYPE_PATTERN[1:-1], re.ASCII)
_QUANTITY = re.compile(QUANTITY_PATTERN[1:-1], re.ASCII)
_PROPERTY = re.compile(PROPERTY_PATTERN[1:-1], re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\ud800-\udfff]")


def refuse_malformed(events: Sequence[UsageEventInput], *, text: bytes) -> None:
    """Refuses: `request_invalid`. `text` is what the events were read from."""
    _refuse(events, {one.type for one in events}, member="type", form=_TYPE)
    _refuse(events, {one.quantity for one in events}, member="quantity", form=_QUANTITY)
    for number, event in enumerate(events):
        if event.time.year not in _YEARS:
            raise refused(
                f"/events/{number}/time", code="out_of_range", detail="Must be from 1970 to 2199."
            )
        if event.properties:
            _refuse_properties(event.properties, pointer=f"/events/{number}/properties")
    if b"\\" in text:
        for number, event in enumerate(events):
            _refuse_control_characters(event, pointer=f"/events/{number}")


def subject_of(event: UsageEventInput, *, pointer: str) -> UsageSubject:
    """Whose usage an event is. Refuses: `request_invalid`."""
    given = (event.subscription_id, event.account_id, event.subject)
    match given:
        case (str() as text, None, None):
            return UsageSubject(
                "subscription_id", _uuid(text, pointer=f"{pointer}/subscription_id")
            )
        case (None, str() as text, None):
            return UsageSubject("account_id", _uuid(text, pointer=f"{pointer}/account_id"))
        case (None, None, str() as text):
            return UsageSubject("subject", text)
        case _:
            raise refused(
                pointer,
                code="required" if given == (None, None, None) else "unknown_field",
                detail="Exactly one of subscription_id, account_id and subject must be given.",
            )


def _uuid(text: str, *, pointer: str) -> UUID:
    try:
        return msgspec.convert(text, UUID)
    except msgspec.ValidationError:
        raise refused(pointer, code="malformed", detail="Must be a UUID.") from None


def _refuse(
    events: Sequence[UsageEventInput], values: set[str], *, member: str, form: re.Pattern[str]
) -> None:
    wrong = {value for value in values if form.fullmatch(value) is None}
    if not wrong:
        return
    number = next(n for n, one in enumerate(events) if getattr(one, member) in wrong)
    raise refused(
        f"/events/{number}/{member}",
        code="malformed",
        detail=f"Must be of the form {form.pattern}",
    )


def _refuse_properties(properties: dict[str, str | int | bool], *, pointer: str) -> None:
    if len(properties) > _MOST_PROPERTIES:
        raise refused(pointer, code="too_long", detail="Must be at most 20.")
    if not all(map(_PROPERTY.fullmatch, properties)):
        raise refused(pointer, code="malformed", detail=f"Names must match {_PROPERTY.pattern}")


def _refuse_control_characters(event: UsageEventInput, *, pointer: str) -> None:
    found: Callable[[str], object] = _CONTROL.search
    for member in ("id", "source", "subject"):
        value = getattr(event, member)
        if value is not None and found(value):
            raise _control_character(f"{pointer}/{member}")
    for name, value in (event.properties or {}).items():
        if isinstance(value, str) and found(value):
            raise _control_character(f"{pointer}/properties/{name}")


_control_character = partial(
    refused, code="control_character", detail="Must not contain control characters."
)
