"""Do a provider's books and ours agree?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import structlog

from billwright.features.payment_providers.port import (
    Capability,
    ListedPayment,
    PaymentProvider,
    ProviderAnswer,
)
from billwright.features.payments.model import NewReviewTask, PaymentState, ReviewKind
from billwright.features.payments.operations.open_review_task import open_review_task
from billwright.features.payments.operations.record_attempt import record_attempt
from billwright.features.payments.rules.reconciliation import (
    Booked,
    Difference,
    Reconciliation,
    Standing,
    Window,
    days_of,
    difference_of,
    may_be_second,
    mends,
)
from billwright.features.payments.sql.reads_reconciliation import booked_as, booked_as_paid
from billwright.features.payments.sql.reads_reviews import is_under_review
from billwright.features.payments.sql.writes_reconciliation import insert_reconciliation
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import OpenTx
from billwright.runtime.secrets import SecretBox

_BATCH_SIZE = 100
_MOST_SHOWN = 100

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A difference that no person has resolved yet; `reference` is what the payment is called there."""

    difference: Difference
    reference: str | None
    provider_key: str | None
    there: Standing | None
    here: Booked | None


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What a run came to; of very many `findings` the first ones, all of them are review tasks."""

    run: Reconciliation
    findings: Sequence[Finding]


async def reconcile_provider(
    open_tx: OpenTx, window: Window, *, provider: PaymentProvider, box: SecretBox
) -> Reconciled:
    """Compare every payment of a window. What the provider knows to have ended, and we do not, is
    recorded; what cannot be explained becomes a review task, once.

    A day is read after the other, the oldest first. What is found is stored as it is found, the run only
    at its end: when the provider fails on the way (`ProviderUnavailable`, `OutcomeUnknown`), a repeated
    run finds the same.
    """
    comparing = _Comparing(open_tx, provider, box)
    unseen: list[Booked] = []
    for day in days_of(window):
        comparing.seen.clear()
        async for batch in _batches(provider.list_payments(since=day.since, until=day.until)):
            await comparing.compare(batch)
        # What we began shortly before midnight, or a payer did later on a page, is of the next day there.
        await comparing.ask_for([each for each in unseen if each.attempt_id not in comparing.seen])
        unseen = await comparing.unseen_of(day)
    await comparing.ask_for(unseen)
    return await comparing.finish(window)


@dataclass(slots=True)
class _Comparing:
    """A run on its way. `seen` are the attempts that the provider has listed for the day."""

    open_tx: OpenTx
    provider: PaymentProvider
    box: SecretBox
    seen: set[UUID] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    compared: int = 0
    mended: int = 0
    differences: int = 0
    foreign_payments: int = 0

    async def compare(self, listed: Sequence[ListedPayment]) -> None:
        async with self.open_tx() as tx:
            tenant_id = tx.tenant_id
            booked = await booked_as(
                tx,
                self.provider.name,
                keys=[each.provider_key for each in listed if each.provider_key],
                references=[each.reference for each in listed],
            )
        by_key = {each.provider_key: each for each in booked}
        keys = {each.provider_reference: each.provider_key for each in booked}
        for each in listed:
            key = each.provider_key if each.provider_key in by_key else keys.get(each.reference)
            if key is not None:
                self.seen.add(by_key[key].attempt_id)
                by_key[key] = await self._judge_listed(each, by_key[key])
            elif each.tenant_id == tenant_id:
                await self._judge_unknown(each)
            else:
                self.foreign_payments += 1

    async def unseen_of(self, day: Window) -> list[Booked]:
        """What is booked as paid and was not listed for the day on which it began."""
        unseen: list[Booked] = []
        last: Booked | None = None
        while True:
            async with self.open_tx() as tx:
                page = await booked_as_paid(
                    tx, self.provider.name, window=day, after=last, limit=_BATCH_SIZE
                )
            unseen += [each for each in page if each.attempt_id not in self.seen]
            if len(page) < _BATCH_SIZE:
                return unseen
            last = page[-1]

    async def ask_for(self, unseen: Sequence[Booked]) -> None:
        for ours in unseen:
            await self._judge(await self.provider.find(ours.provider_key), ours)

    async def finish(self, window: Window) -> Reconciled:
        async with self.open_tx() as tx:
            run = Reconciliation(
                id=new_id(),
                provider=self.provider.name,
                window=window,
                compared=self.compared,
                mended=self.mended,
                differences=self.differences,
                foreign_payments=self.foreign_payments,
                finished_at=tx.now,
            )
            await insert_reconciliation(tx, run)
            tx.audit(
                "payments.reconcile",
                subject_type="reconciliation",
                subject_id=run.id,
                details={"provider": run.provider, "since": window.since, "until": window.until},
            )
        return Reconciled(run, self.findings)

    async def _judge_listed(self, listed: ListedPayment, ours: Booked) -> Booked:
        """Ours, as it is once what the provider knows is recorded."""
        answer = listed.answer
        if mends(answer.state, here=ours.state):
            self.compared += 1
            return await self._mended(answer, ours)
        if may_be_second(listed.reference, there=answer.state, here=ours) and not (
            await self._is_same(listed, ours)
        ):
            self.compared += 1
            await self._report(
                Finding(
                    difference=Difference.PAID_TWICE,
                    reference=listed.reference,
                    provider_key=ours.provider_key,
                    there=_standing(answer),
                    here=ours,
                )
            )
        elif difference_of(_standing(answer), here=_booked(ours)) is None:
            self.compared += 1
        else:
            # Asked again, since money may have come and been booked after the list was read.
            await self._judge(await self.provider.find(ours.provider_key), ours)
        return ours

    async def _judge(self, answer: ProviderAnswer | None, ours: Booked) -> None:
        self.compared += 1
        there = _standing(answer)
        difference = difference_of(there, here=_booked(ours))
        if difference is not None:
            await self._report(
                Finding(
                    difference=difference,
                    reference=ours.provider_reference,
                    provider_key=ours.provider_key,
                    there=there,
                    here=ours,
                )
            )

    async def _judge_unknown(self, listed: ListedPayment) -> None:
        self.compared += 1
        there = _standing(listed.answer)
        difference = difference_of(there, here=None)
        if difference is not None:
            await self._report(
                Finding(
                    difference=difference,
                    reference=listed.reference,
                    provider_key=listed.provider_key,
                    there=there,
                    here=None,
                )
            )

    async def _is_same(self, listed: ListedPayment, ours: Booked) -> bool:
        """Whether ours is the name of a page, and what is listed the payment that was made on it."""
        if (
            ours.provider_reference is None
            or Capability.CALLBACKS not in self.provider.capabilities
        ):
            return False
        known = await self.provider.look_up(ours.provider_reference)
        return known is not None and known.provider_reference == listed.reference

    async def _mended(self, answer: ProviderAnswer, ours: Booked) -> Booked:
        """One that fails is left as it is and keeps no other from being mended."""
        try:
            async with self.open_tx() as tx:
                payment = await record_attempt(
                    tx, attempt_id=ours.attempt_id, answer=answer, box=self.box
                )
        except Exception:  # noqa: BLE001 - whatever broke, the books differ still
            _log.exception("payment not mended", attempt_id=str(ours.attempt_id))
            self.differences += 1
            return ours
        if payment.state is PaymentState.PENDING:  # it could not be booked, and is with a person
            self.differences += 1
            return ours
        self.mended += 1
        return replace(
            ours,
            state=answer.state,
            provider_reference=answer.provider_reference,
            captured=answer.amount or ours.captured,
        )

    async def _report(self, finding: Finding) -> None:
        here, reference = finding.here, finding.reference
        payment_id = here.payment_id if here else None
        task = NewReviewTask(
            kind=ReviewKind.RECONCILIATION_DIFFERENCE,
            subject_type="payment",
            subject_id=payment_id,
            account_id=here.account_id if here else None,
            details={
                "difference": finding.difference,
                "provider": self.provider.name,
                "provider_reference": reference,
                "provider_key": finding.provider_key,
                "there": _shown(finding.there),
                "here": _shown(_booked(here) if here else None),
            },
            dedup_key=f"reconciliation:{finding.difference}:{self.provider.name}:{payment_id}:{reference}",
        )
        async with self.open_tx() as tx:
            is_new = await open_review_task(tx, task)
            counts = is_new or await is_under_review(tx, task.dedup_key)
        if counts:
            self.differences += 1
            if len(self.findings) < _MOST_SHOWN:
                self.findings.append(finding)


async def _batches(source: AsyncIterator[ListedPayment]) -> AsyncIterator[list[ListedPayment]]:
    batch: list[ListedPayment] = []
    async for each in source:
        batch.append(each)
        if len(batch) == _BATCH_SIZE:
            yield batch
            batch = []
    if batch:
        yield batch


def _standing(answer: ProviderAnswer | None) -> Standing | None:
    return None if answer is None else Standing(answer.state, answer.amount)


def _booked(ours: Booked) -> Standing:
    return Standing(ours.state, ours.captured)


def _shown(standing: Standing | None) -> dict[str, object] | None:
    if standing is None:
        return None
    return {
        "state": standing.state,
        "amount_minor": standing.amount and standing.amount.amount_minor,
        "currency": standing.amount and standing.amount.currency.code,
    }
