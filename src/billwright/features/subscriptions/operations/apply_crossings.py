"""How do boundaries that were crossed reach the books?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from billwright.features.accounts.model import Account
from billwright.features.catalog.model import PlanVersion
from billwright.features.entitlements.model import PeriodMove
from billwright.features.entitlements.operations.start_periods import start_periods
from billwright.features.entitlements.operations.withdraw_plans import withdraw_plans
from billwright.features.invoicing.model import InvoiceDraft, IssuedInvoice
from billwright.features.invoicing.operations.issue_invoices import issue_invoices
from billwright.features.subscriptions.events import SubscriptionCanceled, SubscriptionRenewed
from billwright.features.subscriptions.rules.boundary import Crossing
from billwright.features.subscriptions.sql.writes import update_subscriptions
from billwright.kernel.currency import currency_of
from billwright.runtime.db.tx import Tx


async def apply_crossings(
    tx: Tx,
    crossings: Sequence[Crossing],
    *,
    accounts: Mapping[UUID, Account],
    versions: Mapping[UUID, PlanVersion],
) -> list[IssuedInvoice]:
    """Store renewals and ends, with their events, access and invoices; their accounts are locked.

    Charges of one account, currency and instant come on one invoice.
    """
    await update_subscriptions(tx, [crossing.after for crossing in crossings])
    for crossing in crossings:
        _record(tx, crossing, version=versions[crossing.after.plan_version_id])
    await _move_access(tx, crossings, versions=versions)
    return await issue_invoices(tx, _drafts(crossings, accounts))


def _drafts(crossings: Sequence[Crossing], accounts: Mapping[UUID, Account]) -> list[InvoiceDraft]:
    groups: dict[tuple[UUID, str, datetime], list[Crossing]] = defaultdict(list)
    for crossing in crossings:
        after = crossing.after
        groups[after.account_id, after.currency, crossing.at].append(crossing)
    return [
        InvoiceDraft(
            accounts[account_id],
            currency_of(currency),
            tuple(charge for crossing in members for charge in crossing.charges),
            ", ".join(crossing.after.reference for crossing in members),
        )
        for (account_id, currency, _), members in groups.items()
    ]


async def _move_access(
    tx: Tx, crossings: Sequence[Crossing], *, versions: Mapping[UUID, PlanVersion]
) -> None:
    ended: dict[UUID, UUID] = {one.after.id: one.after.account_id for one in crossings if one.ended}
    if ended:
        await withdraw_plans(tx, ended)
    # Only limits know of periods, so that a plan without any leaves its snapshots alone.
    moves = [
        PeriodMove(one.after.id, one.after.account_id, one.after.period)
        for one in crossings
        if not one.ended and versions[one.after.plan_version_id].has_metered_features
    ]
    if moves:
        await start_periods(tx, moves)


def _record(tx: Tx, crossing: Crossing, *, version: PlanVersion) -> None:
    after = crossing.after
    if crossing.ended:
        tx.publish(
            SubscriptionCanceled(
                subject_id=after.id,
                account_id=after.account_id,
                ended_at=crossing.at,
                plan_code=version.plan_code,
                plan_name=version.name,
                reason=after.cancellation_reason,
            )
        )
    else:
        tx.publish(
            SubscriptionRenewed(
                subject_id=after.id,
                account_id=after.account_id,
                period_index=after.period.index,
                period_start=after.period.start,
                period_end=after.period.end,
            )
        )
    tx.audit(
        "subscription.end" if crossing.ended else "subscription.renew",
        subject_type="subscription",
        subject_id=after.id,
        details={
            "from": crossing.before.state,
            "to": after.state,
            "effective_at": crossing.at,
            "period_index": after.period.index,
        },
    )
