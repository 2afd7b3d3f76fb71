"""What does a dunning policy look like in requests and answers?"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints

from billwright.features.dunning.model import PolicyScope
from billwright.features.dunning.rules import policy as rules
from billwright.features.dunning.rules.records import KeptPolicy
from billwright.features.dunning.rules.timeline import EntryKind, SupposedOutcome, TimelineEntry
from billwright.surfaces.platform_api.fields import LARGEST_COUNT, Zone
from billwright.surfaces.web.wire import (
    Choice,
    Code,
    CurrencyCode,
    DecimalText,
    Instant,
    RequestModel,
    ResponseModel,
)

_OPENS = "The hour from which attempts are made."
_CLOSES = "The hour up to which they are."
_OFFSET = "So long after the wait began or, negative, before the next step."
_AFTER = "So long after the subscription became past due."
_FEATURES = "The codes of those that `degrade` takes away."
_SCHEDULE = "The waits, each after the attempt before it was declined; none to 20."
_HARD_DECLINE = "What follows a decline that no repetition can help."
_NEW_METHOD = "When a new payment method is tried."
_FINAL = "What becomes of the subscription once the schedule is used up."
_MINIMUMS = "In major units: where less is due, nothing is pursued and the invoice stays open."
_MAX_AGE = "The case ends at the latest then, whatever became of the schedule."
_NOTICES = "The messages of each wait."
_STEPS = "What is left of access, each step in place of the one before."
_SCOPE = "Whose access is restricted: the subscriptions on the invoice, or all of the account."
_EXAMPLE: dict[str, Any] = {
    "schedule": ["P3D", "P4D"],
    "final_action": "leave_past_due",
    "minimums": {"EUR": "1.00"},
    "notices": [{"code": "card_declined", "offset": "P0D"}],
    "entitlement_steps": [{"after": "P14D", "effect": "revoke"}],
}

# The document shows what holds when a member is left out.
_DEFAULT = rules.definition_of(rules.DunningPolicy())

Duration = Annotated[
    str,
    StringConstraints(min_length=2, max_length=32),
    Field(description="ISO 8601, in days, hours, minutes and seconds.", examples=["P2D", "PT36H"]),
]


class LocalHoursInput(RequestModel):
    """The hours of the account's day in which scheduled attempts are made."""

    opens: Annotated[int, Field(ge=0, le=23, description=_OPENS)] = 9
    closes: Annotated[int, Field(ge=1, le=24, description=_CLOSES)] = 17


class NoticeInput(RequestModel):
    """A message of each wait."""

    code: Annotated[str, Field(max_length=50, examples=["payment_missing"])]
    offset: Annotated[Duration, Field(description=_OFFSET)]


class EntitlementStepInput(RequestModel):
    """What is left of access from an instant on."""

    after: Annotated[Duration, Field(description=_AFTER)]
    effect: Choice[rules.EntitlementEffect]
    features: Annotated[
        list[Code], Field(default_factory=list, max_length=20, description=_FEATURES)
    ]


_DEFAULT_NOTICES = [NoticeInput(**each) for each in _DEFAULT["notices"]]
_DEFAULT_STEPS = [
    EntitlementStepInput.model_validate(each, strict=False)
    for each in _DEFAULT["entitlement_steps"]
]


class DunningPolicyMembers(RequestModel):
    """What is done, and when, about an invoice that was not paid; members that are left out are as in
    the default.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    schedule: Annotated[list[Duration], Field(max_length=20, description=_SCHEDULE)] = _DEFAULT[
        "schedule"
    ]
    hard_decline: Annotated[Choice[rules.HardDecline], Field(description=_HARD_DECLINE)] = (
        rules.HardDecline.STOP
    )
    retry_on_new_method: Annotated[Choice[rules.NewMethodRetry], Field(description=_NEW_METHOD)] = (
        rules.NewMethodRetry.IMMEDIATE
    )
    final_action: Annotated[Choice[rules.FinalAction], Field(description=_FINAL)] = (
        rules.FinalAction.CANCEL
    )
    minimums: Annotated[
        dict[CurrencyCode, DecimalText],
        Field(default_factory=dict, max_length=200, description=_MINIMUMS),
    ]
    local_hours: LocalHoursInput = LocalHoursInput()
    max_age: Annotated[Duration, Field(description=_MAX_AGE)] = _DEFAULT["max_age"]
    notices: Annotated[list[NoticeInput], Field(max_length=20, description=_NOTICES)] = (
        _DEFAULT_NOTICES
    )
    entitlement_steps: Annotated[
        list[EntitlementStepInput], Field(max_length=20, description=_STEPS)
    ] = _DEFAULT_STEPS
    restoration: Choice[rules.Restoration] = rules.Restoration.IMMEDIATE
    scope: Annotated[Choice[rules.Scope], Field(description=_SCOPE)] = rules.Scope.INVOICE


class DunningPolicyInput(DunningPolicyMembers):
    """A policy in whole; members that are left out are as in the default."""

    version: Annotated[
        int | None,
        Field(
            ge=1,
            le=LARGEST_COUNT,
            description="The version that the decision was based on: a policy that has changed since "
            "is left alone.",
        ),
    ] = None


class LocalHours(ResponseModel):
    """The hours of the account's day in which scheduled attempts are made."""

    opens: int
    closes: int


class Notice(ResponseModel):
    """A message of each wait."""

    code: str
    offset: Annotated[Duration, Field(description=_OFFSET)]


class EntitlementStep(ResponseModel):
    """What is left of access from an instant on."""

    after: Annotated[Duration, Field(description=_AFTER)]
    effect: rules.EntitlementEffect
    features: Annotated[list[str], Field(description=_FEATURES)]


class PlainDunningPolicy(ResponseModel):
    """What is done, and when, about an invoice that was not paid."""

    schedule: Annotated[list[Duration], Field(description=_SCHEDULE)]
    hard_decline: Annotated[rules.HardDecline, Field(description=_HARD_DECLINE)]
    retry_on_new_method: Annotated[rules.NewMethodRetry, Field(description=_NEW_METHOD)]
    final_action: Annotated[rules.FinalAction, Field(description=_FINAL)]
    minimums: Annotated[dict[CurrencyCode, DecimalText], Field(description=_MINIMUMS)]
    local_hours: LocalHours
    max_age: Annotated[Duration, Field(description=_MAX_AGE)]
    notices: Annotated[list[Notice], Field(description=_NOTICES)]
    entitlement_steps: Annotated[list[EntitlementStep], Field(description=_STEPS)]
    restoration: rules.Restoration
    scope: Annotated[rules.Scope, Field(description=_SCOPE)]


class DunningPolicy(ResponseModel):
    """The policy that holds, and what it was set for."""

    policy: PlainDunningPolicy
    set_for: Annotated[
        PolicyScope,
        Field(description="The plan, the seller's invoices in general, or nothing: the default."),
    ]
    version: Annotated[int | None, Field(description="Null where none was set.")]
    updated_at: Instant | None


class DunningPreviewInput(RequestModel):
    """A policy to play: the one given, else the one that holds for the plan or the seller."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"policy": _EXAMPLE, "zone": "Europe/Berlin", "outcomes": ["soft", "hard"]}
            ]
        }
    )

    policy: DunningPolicyMembers | None = None
    plan_code: Code | None = None
    opened_at: Annotated[
        Instant | None, Field(description="When the first attempt is made; now when left out.")
    ] = None
    zone: Annotated[Zone | None, Field(description="The seller's when left out.")] = None
    outcomes: Annotated[
        list[Choice[SupposedOutcome]],
        Field(
            default_factory=list,
            max_length=50,
            description="How the attempts go, in order; then each is `soft`.",
        ),
    ]


class DunningPreviewEntry(ResponseModel):
    """One thing that would happen."""

    at: Instant
    kind: EntryKind
    step: Annotated[int, Field(description="How far the schedule is then.")]
    value: Annotated[
        str | None,
        Field(
            description="How the attempt goes, the notice's code, what is left of access, or the "
            "final action."
        ),
    ]
    attempt: Annotated[int | None, Field(description="The attempt's number, from the first.")]
    features: Annotated[list[str], Field(description=_FEATURES)]


class DunningPreview(ResponseModel):
    """What a policy would do, in order."""

    policy: PlainDunningPolicy
    zone: str
    entries: list[DunningPreviewEntry]


def from_members(members: DunningPolicyMembers) -> rules.DunningPolicy:
    """The policy that a request describes. Refuses: `dunning_policy_invalid`."""
    definition = members.model_dump(mode="json", exclude_unset=True, exclude={"version"})
    return rules.policy_of(definition)


def to_plain(policy: rules.DunningPolicy) -> PlainDunningPolicy:
    definition = rules.definition_of(policy)
    minimums = {code: Decimal(amount) for code, amount in definition["minimums"].items()}
    return PlainDunningPolicy.model_validate({**definition, "minimums": minimums})


def to_response(kept: KeptPolicy) -> DunningPolicy:
    return DunningPolicy(
        policy=to_plain(kept.policy),
        set_for=kept.scope,
        version=kept.version,
        updated_at=kept.updated_at,
    )


def to_entry(entry: TimelineEntry) -> DunningPreviewEntry:
    return DunningPreviewEntry(
        at=entry.at,
        kind=entry.kind,
        step=entry.step,
        value=entry.value,
        attempt=entry.attempt,
        features=list(entry.features),
    )
