"""Does every charge either come on exactly one document or wait?"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from billwright.features.accounts.model import Collection
from billwright.features.invoicing.model import (
    ChargeId,
    DraftPurpose,
    InvoiceDraft,
    InvoiceTiming,
    LiveCharge,
)
from billwright.features.invoicing.rules.account_credit import credit_changes
from billwright.features.invoicing.rules.collection import Payer, collect, payer_of, waits
from billwright.features.invoicing.rules.totals import totals_of
from billwright.kernel.currency import currency_of
from tests.features.invoicing.accounts import AN_ACCOUNT
from tests.features.invoicing.charging import a_charge

PAYERS = [
    replace(AN_ACCOUNT, id=UUID(int=number), collection=collection, billing_day=day)
    for number, collection, day in (
        (1, Collection.IMMEDIATE, None),
        (2, Collection.BILLING_DAY, 1),
    )
]
MINIMUM = 500


def totals(draft, charges):
    return totals_of(charges, draft.currency, rate_of=lambda charge: Decimal(0))


@st.composite
def batches(draw):
    drafts = []
    for _ in range(draw(st.integers(0, 6))):
        amounts = draw(st.lists(st.integers(-600, 600), min_size=1, max_size=3))
        drafts.append(
            InvoiceDraft(
                draw(st.sampled_from(PAYERS)),
                currency_of(draw(st.sampled_from(["EUR", "USD"]))),
                tuple(a_charge(amount, description=str(uuid4())) for amount in amounts),
                timing=draw(st.sampled_from(InvoiceTiming)),
                purpose=draw(st.sampled_from(DraftPurpose)),
            )
        )
    pending: dict[Payer, list[LiveCharge]] = {}
    for account in PAYERS:
        for currency in ("EUR", "USD"):
            amounts = draw(st.lists(st.integers(-600, 600), max_size=2))
            if amounts:
                pending[account.id, currency] = [
                    LiveCharge(
                        id=ChargeId(uuid4()),
                        charge=a_charge(amount, description=str(uuid4())),
                        credited_minor=0,
                        reversed_from=None,
                    )
                    for amount in amounts
                ]
    return drafts, pending


@given(batches())
def test_every_charge_has_one_place(batch):
    drafts, pending = batch
    result = collect(drafts, pending=pending, minimums={"EUR": MINIMUM}, totals_of=totals)
    made = [*result.documents, *result.kept]
    placed = [charge.description for each in made for charge in each.draft.charges]
    waiting = [charge.description for own in result.waiting.values() for charge in own]
    given_charges = [charge.description for draft in drafts for charge in draft.charges]
    assert sorted(placed + waiting) == sorted(given_charges)
    assert result.pending + result.held == len(waiting)
    pulled = [each.id for document in made for each in document.pulled]
    assert len(pulled) == len(set(pulled))
    for document in result.documents:
        # One payer, and all that this payer had waiting, on its first document only.
        payer = payer_of(document.draft)
        assert document.pulled in ((), pending.get(payer, ()))
        assert not document.pulled or document.draft.timing is not InvoiceTiming.ALONE
        if document.draft.timing is InvoiceTiming.BY_POLICY:
            assert document.draft.account.collection is Collection.IMMEDIATE
            assert payer[1] != "EUR" or not 0 < document.totals.subtotal_minor < MINIMUM
    assert not any(document.pulled for document in result.kept)


@given(batches())
def test_a_batch_is_what_its_drafts_are_one_by_one(batch):
    drafts, pending = batch
    together = collect(drafts, pending=pending, minimums={"EUR": MINIMUM}, totals_of=totals)
    one_by_one = []
    left = {payer: [each.charge for each in own] for payer, own in pending.items()}
    for draft in drafts:
        payer = payer_of(draft)
        before = [
            LiveCharge(id=ChargeId(uuid4()), charge=each, credited_minor=0, reversed_from=None)
            for each in left.get(payer, [])
        ]
        alone = collect(
            [draft],
            pending={payer: before} if before else {},
            minimums={"EUR": MINIMUM},
            totals_of=totals,
        )
        for document in alone.documents:
            if document.draft.timing is not InvoiceTiming.ALONE:
                left.pop(payer, None)
            one_by_one.append((payer, document.totals.total_minor))
        left.setdefault(payer, []).extend(alone.waiting.get(payer, ()))
    assert [
        (payer_of(each.draft), each.totals.total_minor) for each in together.documents
    ] == one_by_one


def test_a_paused_collection_is_kept_apart_from_the_billing_day():
    (_, on_billing_day) = PAYERS
    draft = InvoiceDraft(on_billing_day, currency_of("EUR"), (a_charge(100),))
    assert waits(draft)
    assert not waits(replace(draft, timing=InvoiceTiming.AT_ONCE))
    assert not waits(replace(draft, purpose=DraftPurpose.KEEP_AS_DRAFT))


KEYS = st.tuples(st.sampled_from([UUID(int=1), UUID(int=2)]), st.sampled_from(["EUR", "USD"]))


@given(
    st.lists(st.tuples(KEYS, st.integers(-1000, 1000))),
    st.dictionaries(KEYS, st.integers(1, 1000)),
)
def test_credit_pays_what_it_can_and_is_never_below_nothing(amounts, balances):
    changes = credit_changes(amounts, balances)
    left = dict(balances)
    for (key, total), change in zip(amounts, changes, strict=True):
        if total <= 0:
            assert change == -total
        else:
            assert change == -min(total, left.get(key, 0))
        left[key] = left.get(key, 0) + change
        assert left[key] >= 0
