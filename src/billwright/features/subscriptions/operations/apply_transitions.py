"""How do steps of subscriptions reach the books?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from billwright.features.accounts.model import Account, Collection
from billwright.features.catalog.model import PlanVersion
from billwright.features.entitlements.model import Source
from billwright.features.entitlements.operations.grant_plans import grant_plans, move_periods
from billwright.features.entitlements.operations.withdraw_plans import withdraw_plans
from billwright.features.invoicing.model import (
    Billed,
    DraftPurpose,
    InvoiceDraft,
    InvoiceTiming,
    Surplus,
)
from billwright.features.invoicing.operations.bill_charges import (
    bill_charges,
    bill_pending_charges,
)
from billwright.features.invoicing.operations.credit_invoice import CreditInvoice, credit_invoice
from billwright.features.invoicing.operations.mark_uncollectible import (
    MarkUncollectible,
    mark_uncollectible,
)
from billwright.features.invoicing.operations.void_invoice import VoidInvoice, void_invoice
from billwright.features.invoicing.sql.reads import open_invoices_of
from billwright.features.promotions.operations.store_redemptions import store_redemptions
from billwright.features.subscriptions.model import (
    CancellationProration,
    CollectionPause,
    Subscription,
    SubscriptionState,
)
from billwright.features.subscriptions.operations.keep_billed_usage import keep_billed_usage
from billwright.features.subscriptions.operations.keep_cancellations import keep_cancellations
from billwright.features.subscriptions.operations.redeem_trial import keep_trials
from billwright.features.subscriptions.rules.transition import Transition
from billwright.features.subscriptions.sql.writes import (
    advance_subscriptions,
    replace_items,
    update_subscriptions,
)
from billwright.kernel.currency import currency_of
from billwright.runtime.db.tx import Tx


class _Document(NamedTuple):
    """What shares a document: nothing else comes on one."""

    account_id: UUID
    currency: str
    at: datetime
    timing: InvoiceTiming
    surplus: Surplus
    collection: CollectionPause | None


_PURPOSES = {
    None: DraftPurpose.FINALIZE,
    CollectionPause.KEEP_AS_DRAFT: DraftPurpose.KEEP_AS_DRAFT,
    CollectionPause.VOID: DraftPurpose.GIVE_UP,
    CollectionPause.MARK_UNCOLLECTIBLE: DraftPurpose.GIVE_UP,
}


async def apply_transitions(
    tx: Tx, transitions: Sequence[Transition], *, accounts: Mapping[UUID, Account]
) -> Billed:
    """Store steps with their events, audit entries, access, promotions and charges; their accounts are
    locked. Charges of one account, currency and instant come on one document.
    """
    await _store(tx, transitions)
    for transition in transitions:
        _record(tx, transition)
    await _move_access(tx, transitions)
    changed = [one for transition in transitions for one in transition.redemptions]
    if changed:
        await store_redemptions(tx, changed)
    await keep_trials(tx, transitions, accounts=accounts)
    await keep_cancellations(tx, transitions)
    await _void_expired(tx, transitions)
    await keep_billed_usage(tx, transitions)
    return await _bill(tx, transitions, accounts=accounts)


async def _store(tx: Tx, transitions: Sequence[Transition]) -> None:
    only_advanced: list[Subscription] = []
    changed: list[Subscription] = []
    for transition in transitions:
        (only_advanced if _only_advances(transition) else changed).append(transition.after)
    if only_advanced:
        await advance_subscriptions(tx, only_advanced)
    if changed:
        await update_subscriptions(tx, changed)
    with_items = [one.after for one in transitions if one.after.items != one.before.items]
    if with_items:
        await replace_items(tx, with_items)


def _only_advances(transition: Transition) -> bool:
    """Whether the period is all that changed, as with most renewals."""
    before, after = transition.before, transition.after
    return (
        transition.action == "subscription.renew"
        and after.state is before.state
        and after.schedule is before.schedule
        and after.plan_version_id == before.plan_version_id
        and after.pending_change is before.pending_change
        and after.unpaid_change is before.unpaid_change
    )


def _record(tx: Tx, transition: Transition) -> None:
    for event in transition.events:
        tx.publish(event)
    tx.audit(
        transition.action,
        subject_type="subscription",
        subject_id=transition.after.id,
        details={
            "from": transition.before.state,
            "to": transition.after.state,
            "effective_at": transition.at,
            "period_index": transition.after.period.index,
        },
    )


async def _move_access(tx: Tx, transitions: Sequence[Transition]) -> None:
    ended: dict[UUID, UUID] = {}
    given: list[Source] = []
    moved: list[Source] = []
    for transition in transitions:
        before, after = transition.before, transition.after
        if before.gives_access and not after.gives_access:
            ended[after.id] = after.account_id
        elif after.gives_access and _access_differs(transition):
            given.append(_source(after, transition.version))
        elif after.gives_access and before.period != after.period:
            moved.append(_source(after, transition.version))
    if ended:
        await withdraw_plans(tx, ended)
    if given:
        await grant_plans(tx, given)
    if moved:
        await move_periods(tx, moved)


def _access_differs(transition: Transition) -> bool:
    before, after, version = transition.before, transition.after, transition.version
    return (
        not before.gives_access
        or before.plan_version_id != after.plan_version_id
        or _add_ons(before, version) != _add_ons(after, version)
    )


def _source(subscription: Subscription, version: PlanVersion) -> Source:
    return Source(
        subscription.id,
        subscription.account_id,
        subscription.plan_version_id,
        subscription.period.start,
        subscription.period.end,
        _add_ons(subscription, version),
    )


def _add_ons(subscription: Subscription, version: PlanVersion) -> dict[str, Decimal]:
    """How many units of which add-ons a subscription to that version has."""
    units = {item.plan_component_id: item.quantity for item in subscription.items}
    return {
        component.code: units[component.id]
        for component in version.components
        if component.optional and units.get(component.id)
    }


async def _void_expired(tx: Tx, transitions: Sequence[Transition]) -> None:
    """What an incomplete subscription was to pay is not owed when it expires."""
    for transition in transitions:
        if transition.after.state is not SubscriptionState.EXPIRED:
            continue
        reason = "The first payment did not come in time."
        for invoice_id, paid_minor in await open_invoices_of(tx, transition.after.id):
            if paid_minor:  # what came of it is the account's
                await credit_invoice(tx, CreditInvoice(invoice_id=invoice_id, reason=reason))
            else:
                await void_invoice(tx, VoidInvoice(invoice_id=invoice_id, reason=reason))


async def _bill(
    tx: Tx, transitions: Sequence[Transition], *, accounts: Mapping[UUID, Account]
) -> Billed:
    groups: dict[_Document, list[Transition]] = defaultdict(list)
    for transition in transitions:
        if transition.charges:
            groups[_document_of(transition)].append(transition)
    plain = {key: one for key, one in groups.items() if not _is_given_up(key)}
    billed = await bill_charges(tx, _drafts(plain.items(), accounts)) if plain else Billed()
    billed += await _bill_what_waits(tx, transitions, accounts=accounts)
    for key, members in groups.items():
        if _is_given_up(key):
            billed += await _bill_and_give_up(tx, key, members=members, accounts=accounts)
    return billed


async def _bill_what_waits(
    tx: Tx, transitions: Sequence[Transition], *, accounts: Mapping[UUID, Account]
) -> Billed:
    """What waits for the next invoice comes on one also where the renewal or the end that it waits for
    owes nothing itself.
    """
    silent = [one for one in transitions if not one.charges]
    if not silent:
        return Billed()
    ended = {one.after.account_id for one in silent if one.after.ended_at is not None}
    renewed = {
        one.after.account_id
        for one in silent
        if one.action == "subscription.renew"
        and accounts[one.after.account_id].collection is Collection.IMMEDIATE
    } - ended
    billed = Billed()
    for account_ids, timing in (
        (ended, InvoiceTiming.AT_ONCE),
        (renewed, InvoiceTiming.BY_POLICY),
    ):
        if account_ids:
            own = [accounts[account_id] for account_id in sorted(account_ids)]
            billed += await bill_pending_charges(tx, own, timing=timing)
    return billed


def _is_given_up(document: _Document) -> bool:
    return document.collection in {CollectionPause.VOID, CollectionPause.MARK_UNCOLLECTIBLE}


async def _bill_and_give_up(
    tx: Tx,
    key: _Document,
    *,
    members: Sequence[Transition],
    accounts: Mapping[UUID, Account],
) -> Billed:
    """Collection is paused in such a way that what is invoiced is given up at once."""
    billed = await bill_charges(tx, _drafts([(key, members)], accounts))
    reason = "Collection is paused."
    for document in billed.documents:
        if document.due_minor <= 0:
            continue  # a credit note, or nothing
        if key.collection is CollectionPause.VOID:
            await void_invoice(tx, VoidInvoice(invoice_id=document.id, reason=reason))
        else:
            await mark_uncollectible(tx, MarkUncollectible(invoice_id=document.id, reason=reason))
    return billed


def _document_of(transition: Transition) -> _Document:
    after = transition.after
    refunded = after.cancellation.proration is CancellationProration.REFUND and after.ended_at
    return _Document(
        after.account_id,
        after.currency,
        transition.at,
        transition.timing,
        Surplus.TO_REFUND if refunded else Surplus.TO_BALANCE,
        _collection_at(after, transition.at),
    )


def _collection_at(subscription: Subscription, at: datetime) -> CollectionPause | None:
    resumes_at = subscription.collection_resumes_at
    return None if resumes_at is not None and resumes_at <= at else subscription.collection_paused


def _drafts(
    groups: Iterable[tuple[_Document, Sequence[Transition]]], accounts: Mapping[UUID, Account]
) -> list[InvoiceDraft]:
    return [
        InvoiceDraft(
            account=accounts[key.account_id],
            currency=currency_of(key.currency),
            charges=tuple(charge for one in members for charge in one.charges),
            reference=", ".join(one.after.reference for one in members),
            timing=key.timing,
            purpose=_PURPOSES[key.collection],
            surplus=key.surplus,
        )
        for key, members in groups
    ]
