"""How does a platform say what is done about invoices that are not paid?"""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter
from starlette.responses import Response

from billwright.features.catalog.errors import plan_reference_unknown, plan_unknown
from billwright.features.catalog.sql.reads import plan_by_code
from billwright.features.dunning.errors import dunning_policy_invalid, dunning_policy_stale
from billwright.features.dunning.model import PolicyScope
from billwright.features.dunning.operations import set_dunning_policy as setting
from billwright.features.dunning.rules.policy import DunningPolicy as Policy
from billwright.features.dunning.rules.timeline import timeline
from billwright.features.dunning.sql.reads_policies import policy_for
from billwright.features.tenancy.sql.reads import the_seller
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Reader, Writer
from billwright.surfaces.platform_api.dunning_policies_models import (
    DunningPolicy,
    DunningPolicyInput,
    DunningPreview,
    DunningPreviewInput,
    from_members,
    to_entry,
    to_plain,
    to_response,
)
from billwright.surfaces.platform_api.versions import ETAG, IfMatch, etag, version_of, with_etag
from billwright.surfaces.web.idempotency import Idempotent, once

router = APIRouter(tags=["dunning"])


@router.get(
    "/dunning-policy",
    summary="Get the dunning policy",
    responses={200: ETAG, **refusals.of_reading()},
)
async def get_dunning_policy(reader: Reader, response: Response) -> DunningPolicy:
    """It holds for every invoice whose plan has none of its own. The `ETag` of one that was never set is
    `"0"`.
    """
    async with reader.tx() as tx:
        kept = await policy_for(tx, None)
    response.headers["ETag"] = etag(kept.version)
    return to_response(kept)


@router.put(
    "/dunning-policy",
    response_model=DunningPolicy,
    summary="Set the dunning policy",
    responses={200: ETAG, **refusals.of_writing(dunning_policy_invalid, dunning_policy_stale)},
)
async def set_dunning_policy(
    writer: Writer, body: DunningPolicyInput, idempotent: Idempotent, if_match: IfMatch = None
) -> Response:
    """What is pursued already keeps the policy that it was opened under."""

    async def set_to(tx: Tx) -> DunningPolicy:
        return to_response(await setting.set_dunning_policy(tx, _command(body, if_match)))

    return with_etag(await once(writer.tx(), idempotent, work=set_to))


@router.post(
    "/dunning-policy/preview",
    summary="Preview a dunning policy",
    responses=refusals.of_previewing(dunning_policy_invalid, plan_reference_unknown),
)
async def preview_dunning_policy(reader: Reader, body: DunningPreviewInput) -> DunningPreview:
    """What would happen to an invoice whose first attempt is declined; nothing is stored."""
    async with reader.tx() as tx:
        policy = await _previewed(tx, body)
        zone = body.zone or (await the_seller(tx)).zone
        opened_at = body.opened_at or tx.now
    entries = timeline(policy, opened_at=opened_at, zone=zone, outcomes=body.outcomes)
    return DunningPreview(
        policy=to_plain(policy), zone=zone, entries=[to_entry(entry) for entry in entries]
    )


@router.get(
    "/plans/{plan_code}/dunning-policy",
    summary="Get the dunning policy of a plan",
    responses={200: ETAG, **refusals.of_reading(plan_unknown)},
)
async def get_plan_dunning_policy(
    reader: Reader, plan_code: str, response: Response
) -> DunningPolicy:
    """The one that holds for the plan, which may be the seller's; it is used for invoices whose
    subscriptions are all to this plan. The `ETag` is that of the plan's own: `"0"` where it has none.
    """
    async with reader.tx() as tx:
        kept = await policy_for(tx, (await plan_by_code(tx, plan_code)).id)
    response.headers["ETag"] = etag(kept.version if kept.scope is PolicyScope.PLAN else None)
    return to_response(kept)


@router.put(
    "/plans/{plan_code}/dunning-policy",
    response_model=DunningPolicy,
    summary="Set the dunning policy of a plan",
    responses={
        200: ETAG,
        **refusals.of_writing(plan_unknown, dunning_policy_invalid, dunning_policy_stale),
    },
)
async def set_plan_dunning_policy(
    writer: Writer,
    plan_code: str,
    body: DunningPolicyInput,
    idempotent: Idempotent,
    if_match: IfMatch = None,
) -> Response:
    """What is pursued already keeps the policy that it was opened under."""

    async def set_to(tx: Tx) -> DunningPolicy:
        command = replace(_command(body, if_match), plan_code=plan_code)
        return to_response(await setting.set_dunning_policy(tx, command))

    return with_etag(await once(writer.tx(), idempotent, work=set_to))


@router.delete(
    "/plans/{plan_code}/dunning-policy",
    status_code=204,
    summary="Take a plan's dunning policy away",
    responses=refusals.of_writing(plan_unknown, dunning_policy_stale),
)
async def reset_plan_dunning_policy(
    writer: Writer, plan_code: str, idempotent: Idempotent, if_match: IfMatch = None
) -> Response:
    """The seller's holds again. Where that is so already, nothing changes."""

    async def reset(tx: Tx) -> None:
        await setting.reset_dunning_policy(tx, plan_code, expected_version=version_of(if_match))

    return await once(writer.tx(), idempotent, work=reset)


def _command(body: DunningPolicyInput, if_match: str | None) -> setting.SetDunningPolicy:
    named = version_of(if_match)
    expected = body.version if named is None else named
    return setting.SetDunningPolicy(policy=from_members(body), expected_version=expected)


async def _previewed(tx: Tx, body: DunningPreviewInput) -> Policy:
    if body.policy is not None:
        try:
            return from_members(body.policy)
        except Refusal as refusal:
            raise _below(refusal, "/policy") from None
    if body.plan_code is None:
        return (await policy_for(tx, None)).policy
    try:
        plan = await plan_by_code(tx, body.plan_code)
    except Refusal:
        raise plan_reference_unknown(pointer="/plan_code", plan_code=body.plan_code) from None
    return (await policy_for(tx, plan.id)).policy


def _below(refusal: Refusal, pointer: str) -> Refusal:
    """The same no, about a value that is a member of the request."""
    problems = [replace(one, pointer=pointer + one.pointer) for one in refusal.problems]
    return Refusal(
        refusal.code,
        refusal.category,
        refusal.detail,
        problems=problems,
        facts=refusal.facts,
    )
