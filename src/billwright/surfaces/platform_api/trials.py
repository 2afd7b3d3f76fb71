"""How does a platform let its customers try a plan?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from billwright.features.accounts.errors import account_closed, account_reference_unknown
from billwright.features.catalog.errors import plan_archived, plan_reference_unknown
from billwright.features.subscriptions.errors import (
    bills_from_invalid,
    charge_too_large,
    component_unknown,
    currency_not_sold,
    effective_at_invalid,
    starts_at_invalid,
    subscription_external_id_taken,
    subscription_unknown,
    trial_already_used,
    trial_end_invalid,
    trial_length_missing,
    trial_to_be_canceled,
    trial_unknown,
    trial_until_invalid,
    trial_used_with_payment_method,
)
from billwright.features.subscriptions.model import TrialState
from billwright.features.subscriptions.operations import change_trial
from billwright.features.subscriptions.operations.create_subscription import create_subscription
from billwright.features.subscriptions.operations.tell_boundaries import tell_boundaries
from billwright.features.subscriptions.sql.reads_trials import TrialFilter, trial_by_id
from billwright.features.subscriptions.sql.reads_trials import list_trials as read_trials
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Reader
from billwright.surfaces.platform_api.subscription_life_models import (
    EffectiveInput,
    TrialExtensionInput,
)
from billwright.surfaces.platform_api.subscription_routes import (
    OF_EVERY_COMMAND,
    OF_REDEEMING,
    Asked,
    command,
)
from billwright.surfaces.platform_api.subscriptions_inputs import from_request
from billwright.surfaces.platform_api.trials_models import Trial, TrialInput, to_response
from billwright.surfaces.platform_api.versions import ETAG, IfMatch, etag, version_of
from billwright.surfaces.web.pages import Listing, Page, PageParameters
from billwright.surfaces.web.wire import Code, Instant

router = APIRouter(prefix="/trials", tags=["subscriptions"])

_LISTING = Listing("trials", tuple[datetime, UUID])
_NOW = EffectiveInput()


@command(
    router,
    "",
    summary="Start a trial",
    status_code=201,
    refuses=(
        account_reference_unknown,
        account_closed,
        plan_reference_unknown,
        plan_archived,
        currency_not_sold,
        component_unknown,
        charge_too_large,
        starts_at_invalid,
        bills_from_invalid,
        trial_length_missing,
        trial_until_invalid,
        trial_already_used,
        trial_used_with_payment_method,
        subscription_external_id_taken,
        *OF_REDEEMING,
    ),
)
async def create_trial(body: TrialInput) -> Asked:
    """A subscription that begins with a trial; its id is the trial's. Where the customer has had its
    trial of the plan, it is refused, also when it is the plan's own.
    """
    wanted = replace(from_request(body), begins_with_trial=True)
    return Asked(work=partial(create_subscription, command=wanted), at=wanted.starts_at)


@router.get("", summary="List trials", responses=refusals.of_listing())
async def list_trials(
    reader: Reader,
    page: PageParameters,
    account_id: Annotated[UUID | None, Query(description="Only this account's.")] = None,
    plan_code: Annotated[
        Code | None, Query(description="Only of subscriptions that have this plan now.")
    ] = None,
    state: Annotated[TrialState | None, Query(description="Only in this state.")] = None,
    ends_after: Annotated[
        Instant | None, Query(description="Only what ends, or has ended, at this instant or later.")
    ] = None,
    ends_before: Annotated[
        Instant | None, Query(description="Only what ends, or has ended, before this instant.")
    ] = None,
) -> Page[Trial]:
    """The one that ends last first."""
    filters = {
        "account_id": account_id,
        "plan_code": plan_code,
        "state": state,
        "ends_after": ends_after,
        "ends_before": ends_before,
    }
    wanted = TrialFilter(
        account_id=account_id,
        plan_code=plan_code,
        state=state,
        ends_after=ends_after,
        ends_before=ends_before,
    )
    after = _LISTING.after(page, filters=filters)
    async with reader.tx() as tx:
        found = await read_trials(tx, wanted, after=after, limit=page.limit + 1)
        trials = [to_response(ahead) for ahead in await tell_boundaries(tx, found)]
    return _LISTING.page(
        trials,
        page,
        filters=filters,
        key=lambda trial: (trial.ends_at, trial.id),
        to_response=lambda trial: trial,
    )


@router.get(
    "/{trial_id}",
    summary="Get a trial",
    responses={200: ETAG, **refusals.of_reading(subscription_unknown, trial_unknown)},
)
async def get_trial(reader: Reader, trial_id: UUID, response: Response) -> Trial:
    """By the id of the subscription that it belongs to."""
    async with reader.tx() as tx:
        [ahead] = await tell_boundaries(tx, [await trial_by_id(tx, trial_id)])
    response.headers["ETag"] = etag(ahead.subscription.version)
    return to_response(ahead)


@command(
    router,
    "/{trial_id}/extend",
    summary="Extend a trial by its id",
    refuses=(*OF_EVERY_COMMAND, trial_end_invalid),
)
async def extend_trial_by_id(
    trial_id: UUID, body: TrialExtensionInput, if_match: IfMatch = None
) -> Asked:
    """Its end moves forward only, and its reminder moves with it."""
    wanted = change_trial.ExtendTrial(
        subscription_id=trial_id,
        trial_end=body.trial_end,
        expected_version=version_of(if_match),
    )
    return Asked(work=partial(change_trial.extend_trial, command=wanted), subscription_id=trial_id)


@command(
    router,
    "/{trial_id}/end",
    summary="End a trial by its id",
    refuses=(*OF_EVERY_COMMAND, effective_at_invalid),
)
async def end_trial_by_id(
    trial_id: UUID, body: EffectiveInput = _NOW, if_match: IfMatch = None
) -> Asked:
    """What would happen at its end happens now: without a payment method, what `end_behavior` says; a
    cancellation and a change that were to come with its end come now.
    """
    wanted = change_trial.EndTrial(
        subscription_id=trial_id,
        effective_at=body.effective_at,
        expected_version=version_of(if_match),
    )
    return Asked(
        work=partial(change_trial.end_trial, command=wanted),
        subscription_id=trial_id,
        at=body.effective_at,
    )


@command(
    router,
    "/{trial_id}/convert",
    summary="Convert a trial",
    refuses=(*OF_EVERY_COMMAND, trial_to_be_canceled, effective_at_invalid),
)
async def convert_trial(
    trial_id: UUID, body: EffectiveInput = _NOW, if_match: IfMatch = None
) -> Asked:
    """The paid life begins now, whether or not there is a payment method."""
    wanted = change_trial.ConvertTrial(
        subscription_id=trial_id,
        effective_at=body.effective_at,
        expected_version=version_of(if_match),
    )
    return Asked(
        work=partial(change_trial.convert_trial, command=wanted),
        subscription_id=trial_id,
        at=body.effective_at,
    )
