"""What is kept of the usage that steps have billed?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from billwright.features.catalog.model import PlanVersion
from billwright.features.catalog.sql.reads import plan_versions
from billwright.features.subscriptions.rules.transition import ChargingTerms, Transition
from billwright.features.subscriptions.rules.usage_windows import billed_usage, reopened_usage
from billwright.features.subscriptions.sql.writes_usage import (
    delete_billed_usage,
    upsert_billed_usage,
)
from billwright.features.tenancy.sql.reads import the_seller
from billwright.features.usage.model import UsageWindow
from billwright.features.usage.operations.look_again import look_again
from billwright.runtime.db.tx import Tx


async def keep_billed_usage(tx: Tx, transitions: Sequence[Transition]) -> None:
    """Keep which windows steps have billed, so that what becomes known of them later can be charged, and
    ask for each to be counted again. What a step undid is owed again, and forgotten here.
    """
    versions = await _versions(tx, transitions)
    metered = [
        one
        for one in transitions
        if versions[one.before.plan_version_id].has_usage
        or versions[one.after.plan_version_id].has_usage
    ]
    if not metered:
        return
    for one in metered:
        for component_id, since in reopened_usage(one, versions[one.after.plan_version_id]):
            await delete_billed_usage(tx, one.after.id, component_id=component_id, since=since)
    await _keep(tx, metered, versions=versions)


async def _versions(tx: Tx, transitions: Sequence[Transition]) -> dict[UUID, PlanVersion]:
    sides = [one for step in transitions for one in (step.before, step.after)]
    return await plan_versions(tx, list({one.plan_version_id for one in sides}))


async def _keep(
    tx: Tx, metered: Sequence[Transition], *, versions: Mapping[UUID, PlanVersion]
) -> None:
    seller = await the_seller(tx)
    terms = ChargingTerms(seller.proration_granularity, seller.rounding)
    billed = [
        (one.before.account_id, window)
        for one in metered
        for window in billed_usage(
            one, versions[one.before.plan_version_id], terms=terms, cutoff=tx.now
        )
    ]
    if not billed:
        return
    await upsert_billed_usage(tx, [window for _, window in billed])
    await look_again(
        tx,
        [
            (
                account_id,
                UsageWindow(
                    key=place,
                    subscription_id=window.subscription_id,
                    meter=window.meter,
                    start=window.start,
                    end=window.end,
                ),
            )
            for place, (account_id, window) in enumerate(billed)
        ],
    )
