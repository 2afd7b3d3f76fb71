"""What does a platform say to pause, to end or to go on with a subscription?"""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from billwright.features.subscriptions.model import (
    CancellationFeedback,
    CancellationMode,
    CancellationProration,
    CollectionPause,
    PauseProration,
)
from billwright.surfaces.platform_api import subscriptions_words as words
from billwright.surfaces.web.wire import Choice, Instant, Prose, RequestModel


class CancellationInput(RequestModel):
    """How a subscription is to end."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"mode": "period_end", "feedback": "unused"},
                {"mode": "now", "proration": "credit"},
                {"mode": "at", "cancel_at": "2026-06-30T22:00:00Z", "comment": "We move."},
            ]
        }
    )

    mode: Annotated[
        Choice[CancellationMode],
        Field(
            description="`now`, with the running period (`period_end`), or `at` the instant "
            "`cancel_at`; never before the plan's notice and commitment permit it."
        ),
    ]
    cancel_at: Annotated[Instant | None, Field(description="For `at`: when, in the future.")] = None
    proration: Annotated[
        Choice[CancellationProration], Field(description=words.CANCELLATION_PRORATION)
    ] = CancellationProration.NONE
    bills_final_usage: Annotated[bool, Field(description=words.FINAL_USAGE)] = True
    feedback: Annotated[Choice[CancellationFeedback] | None, Field(description=words.FEEDBACK)] = (
        None
    )
    comment: Annotated[Prose | None, Field(description=words.COMMENT)] = None
    effective_at: Annotated[Instant | None, Field(description=words.RECKONED_AT)] = None


class EffectiveInput(RequestModel):
    """When a command is to have taken effect, which is now as a rule."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{}, {"effective_at": "2026-02-10T11:59:58Z"}]}
    )

    effective_at: Annotated[Instant | None, Field(description=words.RECKONED_AT)] = None


class PauseInput(RequestModel):
    """How long a subscription is to be paused."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"proration": "credit", "resumes_at": "2026-09-01T00:00:00+02:00"}, {}]
        }
    )

    proration: Annotated[Choice[PauseProration], Field(description=words.PAUSE_PRORATION)] = (
        PauseProration.NONE
    )
    resumes_at: Annotated[Instant | None, Field(description=words.RESUMES_AT)] = None
    effective_at: Annotated[Instant | None, Field(description=words.RECKONED_AT)] = None


class RenewalInput(RequestModel):
    """Whether a subscription renews by itself."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"renews": False}]})

    renews: Annotated[bool, Field(description=words.RENEWS)]


class CollectionInput(RequestModel):
    """Whether the invoices of a subscription are collected."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"behavior": "keep_as_draft", "resumes_at": "2026-09-01T00:00:00+02:00"},
                {"behavior": None},
            ]
        }
    )

    behavior: Annotated[
        Choice[CollectionPause] | None,
        Field(description=f"{words.COLLECTION} Null: they are collected."),
    ]
    resumes_at: Annotated[Instant | None, Field(description=words.COLLECTION_RESUMES_AT)] = None


class TrialExtensionInput(RequestModel):
    """Until when a trial is to go on."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"trial_end": "2026-03-01T00:00:00+01:00"}]}
    )

    trial_end: Annotated[Instant, Field(description="Later than the trial ends now.")]
