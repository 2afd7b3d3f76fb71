"""What do billed windows come to, now that more is known of them?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from billwright.features.catalog.sql.reads import versions_of_components
from billwright.features.invoicing.model import NewCharge
from billwright.features.subscriptions.model import BilledUsage, Subscription
from billwright.features.subscriptions.rules.late_usage import recounted
from billwright.features.subscriptions.sql.reads import subscriptions_by_id
from billwright.features.subscriptions.sql.reads_usage import billed_usage_within
from billwright.features.usage.model import LateUsage, UsageWindow, Used
from billwright.features.usage.sql.reads import used_quantities
from billwright.kernel.currency import currency_of
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True)
class Recount:
    """A window as it was billed and as it is known now; the charge is the difference, if there is one."""

    subscription: Subscription
    before: BilledUsage
    after: BilledUsage
    charge: NewCharge | None


async def recount_windows(tx: Tx, late: Sequence[LateUsage]) -> list[Recount]:
    """The windows whose events are others than those that were billed, by the version of their meter and
    the price of their time.
    """
    changed = await _changed(tx, late)
    if not changed:
        return []
    subscriptions = await subscriptions_by_id(tx, {billed.subscription_id for billed, _ in changed})
    versions = await versions_of_components(
        tx, list({billed.plan_component_id for billed, _ in changed})
    )
    recounts = []
    for billed, used in changed:
        subscription = subscriptions[billed.subscription_id]
        after, charge = recounted(
            billed,
            used,
            version=versions[billed.plan_component_id],
            currency=currency_of(subscription.currency),
            cutoff=tx.now,
        )
        recounts.append(Recount(subscription, billed, after, charge))
    return recounts


async def _changed(tx: Tx, late: Sequence[LateUsage]) -> list[tuple[BilledUsage, Used | None]]:
    billed = await billed_usage_within(
        tx, {one.subscription_id: (one.occurred_from, one.occurred_until) for one in late}
    )
    windows = [_window(key, one) for key, one in enumerate(billed)]
    found = await used_quantities(tx, windows, cutoff=None) if windows else {}
    pairs = [(one, found.get(key)) for key, one in enumerate(billed)]
    return [(one, used) for one, used in pairs if (used.digest if used else None) != one.digest]


def _window(key: int, billed: BilledUsage) -> UsageWindow:
    whole_start, whole_end = billed.basis.whole_start, billed.basis.whole_end
    return UsageWindow(
        key=key,
        subscription_id=billed.subscription_id,
        meter=billed.meter,
        start=billed.start,
        end=billed.end,
        period=whole_end - whole_start if whole_start and whole_end else None,
        version=billed.meter_version,
    )
