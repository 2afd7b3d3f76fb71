"""Which charges come on a document now, and which wait?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias
from uuid import UUID

from billwright.features.accounts.model import Collection
from billwright.features.invoicing.model import (
    DraftPurpose,
    InvoiceDraft,
    InvoiceId,
    InvoiceTiming,
    LiveCharge,
    NewCharge,
)
from billwright.features.invoicing.rules.totals import Totals
from billwright.kernel.quick import quickly_made

# An account and a currency, which one document has one of each.
Payer: TypeAlias = tuple[UUID, str]
TotalsOf: TypeAlias = Callable[[InvoiceDraft, Sequence[NewCharge]], Totals]


@quickly_made
@dataclass(frozen=True, slots=True)
class Gathered:
    """A document to be: `pulled` are stored already and come first, then the charges of the draft.

    `kept_as` is its id where it was kept as a draft until now.
    """

    draft: InvoiceDraft
    pulled: Sequence[LiveCharge]
    totals: Totals
    kept_as: InvoiceId | None = None


@dataclass(frozen=True, slots=True)
class Collected:
    """Documents to finalize and drafts to keep, in their order, and the new charges that wait: how many
    for their time (`pending`), and how many because their sum is too small (`held`).
    """

    documents: tuple[Gathered, ...]
    kept: tuple[Gathered, ...]
    waiting: Mapping[Payer, Sequence[NewCharge]]
    pending: int
    held: int


def waits(draft: InvoiceDraft) -> bool:
    """Whether its charges wait for a later document, whatever they come to."""
    if draft.timing is InvoiceTiming.BY_POLICY and draft.purpose is not DraftPurpose.KEEP_AS_DRAFT:
        return draft.account.collection is Collection.BILLING_DAY
    return draft.timing is InvoiceTiming.LATER


def payer_of(draft: InvoiceDraft) -> Payer:
    """Who pays, and in which currency."""
    return draft.account.id, draft.currency.code


def collect(
    drafts: Iterable[InvoiceDraft],
    *,
    pending: Mapping[Payer, Sequence[LiveCharge]],
    minimums: Mapping[str, int],
    totals_of: TotalsOf,
    is_billing_day: bool = False,
) -> Collected:
    """Go through drafts in their order, as if each was alone: what waits comes on the next document of
    its payer, unless that one is kept as a draft or is to stand alone: such a one holds only what it
    was made of.

    `pending` has waited before; `minimums` is, by currency and in minor units, the least subtotal for
    which a document is made by policy. Credits and documents of nothing are not held.
    """
    stored = dict(pending)
    waiting: dict[Payer, list[NewCharge]] = {}
    held: dict[Payer, int] = {}
    documents: list[Gathered] = []
    kept: list[Gathered] = []
    for draft in drafts:
        if not is_billing_day and waits(draft):
            waiting.setdefault(payer_of(draft), []).extend(draft.charges)
            continue
        if draft.purpose is DraftPurpose.KEEP_AS_DRAFT:
            kept.append(_gathered(draft, totals_of=totals_of))
            continue
        if draft.timing is InvoiceTiming.ALONE:
            documents.append(_gathered(draft, totals_of=totals_of))
            continue
        gathered = _with_waiting(draft, stored=stored, waiting=waiting, totals_of=totals_of)
        if _is_held(gathered, minimums):
            payer = payer_of(draft)
            waiting.setdefault(payer, []).extend(draft.charges)
            held[payer] = held.get(payer, 0) + len(draft.charges)
            continue
        documents.append(gathered)
        for pool in (stored, waiting, held):
            if pool:
                pool.pop(payer_of(draft), None)
    held_count = sum(held.values())
    pending_count = sum(map(len, waiting.values())) - held_count
    return Collected(tuple(documents), tuple(kept), waiting, pending_count, held_count)


def _with_waiting(
    draft: InvoiceDraft,
    *,
    stored: Mapping[Payer, Sequence[LiveCharge]],
    waiting: Mapping[Payer, Sequence[NewCharge]],
    totals_of: TotalsOf,
) -> Gathered:
    if not stored and not waiting:  # as in most batches
        return _gathered(draft, totals_of=totals_of)
    payer = payer_of(draft)
    if payer in waiting:
        draft = replace(draft, charges=(*waiting[payer], *draft.charges))
    return _gathered(draft, pulled=stored.get(payer, ()), totals_of=totals_of)


def _gathered(
    draft: InvoiceDraft, *, totals_of: TotalsOf, pulled: Sequence[LiveCharge] = ()
) -> Gathered:
    charges = (*(each.charge for each in pulled), *draft.charges) if pulled else draft.charges
    return Gathered(draft, pulled, totals_of(draft, charges))


def _is_held(gathered: Gathered, minimums: Mapping[str, int]) -> bool:
    minimum_minor = minimums.get(gathered.draft.currency.code) if minimums else None
    return (
        minimum_minor is not None
        and gathered.draft.timing is InvoiceTiming.BY_POLICY
        and 0 < gathered.totals.subtotal_minor < minimum_minor
    )
