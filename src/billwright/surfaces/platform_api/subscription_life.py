"""How does a platform pause, end and go on with a subscription?"""

from __future__ import annotations

from functools import partial
from uuid import UUID

from fastapi import APIRouter

from billwright.features.subscriptions.errors import (
    cancel_at_invalid,
    effective_at_invalid,
    nothing_due,
    nothing_pending,
    resumes_at_invalid,
    trial_end_invalid,
)
from billwright.features.subscriptions.operations import cancel_subscription as canceling
from billwright.features.subscriptions.operations import change_trial, set_renewal, undo
from billwright.features.subscriptions.operations import pause_subscription as pausing
from billwright.features.subscriptions.operations import renew_subscription as renewing
from billwright.surfaces.platform_api.subscription_life_models import (
    CancellationInput,
    CollectionInput,
    EffectiveInput,
    PauseInput,
    RenewalInput,
    TrialExtensionInput,
)
from billwright.surfaces.platform_api.subscription_routes import OF_EVERY_COMMAND, Asked, command
from billwright.surfaces.platform_api.versions import IfMatch, version_of

router = APIRouter(prefix="/subscriptions/{subscription_id}", tags=["subscriptions"])

_NOW = EffectiveInput()


@command(
    router,
    "/cancel",
    summary="Cancel a subscription",
    refuses=(*OF_EVERY_COMMAND, cancel_at_invalid, effective_at_invalid),
)
async def cancel_subscription(
    subscription_id: UUID, body: CancellationInput, if_match: IfMatch = None
) -> Asked:
    """A cancellation that is yet to come may be moved by another one, or undone."""
    wanted = canceling.CancelSubscription(
        subscription_id=subscription_id,
        mode=body.mode,
        cancel_at=body.cancel_at,
        proration=body.proration,
        bills_final_usage=body.bills_final_usage,
        feedback=body.feedback,
        comment=body.comment,
        effective_at=body.effective_at,
        expected_version=version_of(if_match),
    )
    return Asked(
        work=partial(canceling.cancel_subscription, command=wanted),
        subscription_id=subscription_id,
        at=body.effective_at,
    )


@command(
    router,
    "/undo-cancellation",
    summary="Undo a cancellation",
    refuses=(*OF_EVERY_COMMAND, nothing_pending),
)
async def undo_cancellation(subscription_id: UUID, if_match: IfMatch = None) -> Asked:
    """As long as it has not taken effect."""
    wanted = undo.UndoCancellation(
        subscription_id=subscription_id, expected_version=version_of(if_match)
    )
    return Asked(
        work=partial(undo.undo_cancellation, command=wanted), subscription_id=subscription_id
    )


@command(
    router,
    "/pause",
    summary="Pause a subscription",
    refuses=(*OF_EVERY_COMMAND, resumes_at_invalid, effective_at_invalid),
)
async def pause_subscription(
    subscription_id: UUID, body: PauseInput, if_match: IfMatch = None
) -> Asked:
    """Neither service nor billing from now on. A pending change is dropped."""
    wanted = pausing.PauseSubscription(
        subscription_id=subscription_id,
        proration=body.proration,
        resumes_at=body.resumes_at,
        effective_at=body.effective_at,
        expected_version=version_of(if_match),
    )
    return Asked(
        work=partial(pausing.pause_subscription, command=wanted),
        subscription_id=subscription_id,
        at=body.effective_at,
    )


@command(
    router,
    "/resume",
    summary="Resume a subscription",
    refuses=(*OF_EVERY_COMMAND, effective_at_invalid),
)
async def resume_subscription(
    subscription_id: UUID, body: EffectiveInput = _NOW, if_match: IfMatch = None
) -> Asked:
    """The period that was paused goes on, if it was kept and has not passed; else a new one begins."""
    wanted = pausing.ResumeSubscription(
        subscription_id=subscription_id,
        effective_at=body.effective_at,
        expected_version=version_of(if_match),
    )
    return Asked(
        work=partial(pausing.resume_subscription, command=wanted),
        subscription_id=subscription_id,
        at=body.effective_at,
    )


@command(
    router,
    "/renew",
    summary="Renew a subscription now",
    refuses=(*OF_EVERY_COMMAND, nothing_due),
)
async def renew_subscription(subscription_id: UUID, if_match: IfMatch = None) -> Asked:
    """What is due and the billing run has not come to yet; it never bills ahead of time."""
    wanted = renewing.RenewSubscription(
        subscription_id=subscription_id, expected_version=version_of(if_match)
    )
    return Asked(
        work=partial(renewing.renew_subscription, command=wanted), subscription_id=subscription_id
    )


@command(
    router,
    "/renewal",
    method="PUT",
    summary="Set whether a subscription renews",
    refuses=OF_EVERY_COMMAND,
)
async def set_subscription_renewal(
    subscription_id: UUID, body: RenewalInput, if_match: IfMatch = None
) -> Asked:
    """A subscription that does not renew ends with its period."""
    wanted = set_renewal.SetRenewal(
        subscription_id=subscription_id,
        renews=body.renews,
        expected_version=version_of(if_match),
    )
    return Asked(
        work=partial(set_renewal.set_renewal, command=wanted), subscription_id=subscription_id
    )


@command(
    router,
    "/collection",
    method="PUT",
    summary="Set whether invoices are collected",
    refuses=(*OF_EVERY_COMMAND, resumes_at_invalid),
)
async def set_subscription_collection(
    subscription_id: UUID, body: CollectionInput, if_match: IfMatch = None
) -> Asked:
    """For invoices to come; those that exist stay as they are."""
    wanted = set_renewal.SetCollection(
        subscription_id=subscription_id,
        behavior=body.behavior,
        resumes_at=body.resumes_at,
        expected_version=version_of(if_match),
    )
    return Asked(
        work=partial(set_renewal.set_collection, command=wanted), subscription_id=subscription_id
    )


@command(
    router,
    "/trial/extend",
    summary="Extend a trial",
    refuses=(*OF_EVERY_COMMAND, trial_end_invalid),
)
async def extend_trial(
    subscription_id: UUID, body: TrialExtensionInput, if_match: IfMatch = None
) -> Asked:
    """Its end moves forward only."""
    wanted = change_trial.ExtendTrial(
        subscription_id=subscription_id,
        trial_end=body.trial_end,
        expected_version=version_of(if_match),
    )
    return Asked(
        work=partial(change_trial.extend_trial, command=wanted), subscription_id=subscription_id
    )


@command(
    router,
    "/trial/end",
    summary="End a trial now",
    refuses=(*OF_EVERY_COMMAND, effective_at_invalid),
)
async def end_trial(
    subscription_id: UUID, body: EffectiveInput = _NOW, if_match: IfMatch = None
) -> Asked:
    """What happens at the end of the trial happens now: its first period begins, unless the account
    has no payment method and the subscription says otherwise.
    """
    wanted = change_trial.EndTrial(
        subscription_id=subscription_id,
        effective_at=body.effective_at,
        expected_version=version_of(if_match),
    )
    return Asked(
        work=partial(change_trial.end_trial, command=wanted),
        subscription_id=subscription_id,
        at=body.effective_at,
    )
