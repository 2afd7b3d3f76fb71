"""What does a question about access look like, and its answer?"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from pydantic.config import JsonDict

from billwright.features.entitlements.model import Answer
from billwright.surfaces.platform_api.fields import plain

CODE_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$"
AMOUNT_PATTERN = r"^(0|[1-9][0-9]{0,13})(\.[0-9]{1,6})?$"

_Code = Annotated[str, msgspec.Meta(max_length=100, extra_json_schema={"pattern": CODE_PATTERN})]
_External = Annotated[
    str,
    msgspec.Meta(min_length=1, max_length=255, extra_json_schema={"pattern": r"^[^\x00-\x1f]+$"}),
]
_Amount = Annotated[
    str,
    msgspec.Meta(
        max_length=21,
        description="How much more of `metered` features, in units of the meter; above 0.",
        extra_json_schema={"pattern": AMOUNT_PATTERN, "examples": ["1", "0.5"]},
    ),
]
_Quantity = Annotated[str, msgspec.Meta(extra_json_schema={"examples": ["1000"]})]


class EntitlementCheckInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, gc=False):
    """One question. Exactly one of `account_id` and `external_id` is given."""

    account_id: UUID | None = None
    external_id: Annotated[
        _External | None, msgspec.Meta(description="The `external_id` of an account.")
    ] = None
    feature: _Code
    amount: _Amount = "1"
    subscription_id: Annotated[
        UUID | None,
        msgspec.Meta(
            description="Asks what the account may use through this subscription of it; null is "
            "through any of them."
        ),
    ] = None


class EntitlementChecksInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, gc=False):
    """Each of the features for each of the accounts. Exactly one of `account_ids` and `external_ids` is
    given.
    """

    account_ids: Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=100)] | None = None
    external_ids: Annotated[
        Annotated[list[_External], msgspec.Meta(min_length=1, max_length=100)] | None,
        msgspec.Meta(description="The `external_id` of each account."),
    ] = None
    features: Annotated[
        list[_Code],
        msgspec.Meta(min_length=1, max_length=100, description="The codes of the features."),
    ]
    amount: _Amount = "1"


CHECK_EXAMPLE: JsonDict = {
    "external_id": "customer-17",
    "feature": "api_calls",
    "amount": "25",
}


class CheckReason(StrEnum):
    """Why something is not allowed: nothing gives it, a payment is missing, the limit is reached, or,
    among many questions, nobody knows the account.
    """

    NOT_ENTITLED = "not_entitled"
    PAYMENT_OVERDUE = "payment_overdue"
    LIMIT_REACHED = "limit_reached"
    ACCOUNT_UNKNOWN = "account_unknown"


class EntitlementAnswer(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Whether an account may use so much more of a feature."""

    account_id: Annotated[
        UUID | None,
        msgspec.Meta(description="The account; null when nobody knows its `external_id`."),
    ]
    external_id: Annotated[
        str | None, msgspec.Meta(description="The platform's own id, if it was asked by that.")
    ]
    subscription_id: Annotated[
        UUID | None, msgspec.Meta(description="Through which one, if that was asked.")
    ]
    feature: str
    allowed: Annotated[bool, msgspec.Meta(description="Whether so much more may be used now.")]
    reason: Annotated[
        CheckReason | None, msgspec.Meta(description="Why it may not; null when it may.")
    ]
    value: Annotated[
        bool | int | str | None, msgspec.Meta(description="Of `static` features; else null.")
    ]
    limit: Annotated[
        _Quantity | None,
        msgspec.Meta(
            description="Of `metered` features, with what grants have left, in units of the meter; "
            "null is no limit."
        ),
    ]
    used: Annotated[
        _Quantity | None,
        msgspec.Meta(description="Since the count began; null for what is not metered."),
    ]
    overage: Annotated[
        _Quantity | None, msgspec.Meta(description="What of that was used beyond the limit.")
    ]
    remaining: Annotated[
        _Quantity | None,
        msgspec.Meta(
            description="What may be used beside all that is reserved; null without a limit."
        ),
    ]
    resets_at: Annotated[
        datetime | None,
        msgspec.Meta(description="When the count starts anew, UTC; null when nobody knows."),
    ]
    state_version: Annotated[
        int,
        msgspec.Meta(description="Grows whenever the access of the account is computed anew."),
    ]
    as_of: Annotated[
        datetime, msgspec.Meta(description="When it was asked, by the account's own time, UTC.")
    ]
    stale_after: Annotated[
        datetime,
        msgspec.Meta(
            description="Whoever keeps the answer asks again from here on, by the account's own time: "
            "after a second where something is counted, else after a minute, or earlier when "
            "something ends."
        ),
    ]


class EntitlementAnswers(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Answers account by account in the order of the request, and in each feature by feature."""

    answers: list[EntitlementAnswer]


def to_response(
    answer: Answer, *, external_id: str | None = None, subscription_id: UUID | None = None
) -> EntitlementAnswer:
    reason = answer.reason
    return EntitlementAnswer(
        answer.account_id,
        external_id,
        subscription_id,
        answer.feature,
        answer.allowed,
        None if reason is None else CheckReason(reason.value),
        answer.value,
        _told(answer.limit),
        _told(answer.used),
        _told(answer.overage),
        _told(answer.remaining),
        answer.resets_at,
        answer.state_version,
        answer.as_of,
        answer.stale_after,
    )


def unknown_account(
    feature: str, *, account_id: UUID | None, external_id: str | None, now: datetime
) -> EntitlementAnswer:
    """The answer about an account that nobody knows, which may be created at any moment."""
    return EntitlementAnswer(
        account_id=account_id,
        external_id=external_id,
        subscription_id=None,
        feature=feature,
        allowed=False,
        reason=CheckReason.ACCOUNT_UNKNOWN,
        value=None,
        limit=None,
        used=None,
        overage=None,
        remaining=None,
        resets_at=None,
        state_version=0,
        as_of=now,
        stale_after=now,
    )


def _told(quantity: Decimal | None) -> str | None:
    return None if quantity is None else plain(quantity)
