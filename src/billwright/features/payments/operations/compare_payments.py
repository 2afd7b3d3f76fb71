"""Do a provider and we have the same payments?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import structlog

from billwright.features.payment_providers.port import Capability, ListedPayment, ProviderAnswer
from billwright.features.payments.model import PaymentState
from billwright.features.payments.operations.comparison import (
    BATCH_SIZE,
    Comparison,
    Finding,
    in_batches,
)
from billwright.features.payments.operations.record_attempt import record_attempt
from billwright.features.payments.rules.reconciliation import (
    Booked,
    Difference,
    Standing,
    Window,
    days_of,
    difference_of,
    may_be_second,
    mends,
)
from billwright.features.payments.sql.reads_reconciliation import booked_as, booked_as_paid

_log = structlog.get_logger(__name__)


async def compare_payments(comparison: Comparison, window: Window) -> None:
    """Compare every payment of a window. What the provider knows to have ended, and we do not, is
    recorded; what cannot be explained becomes a review task, once.

    A day is read after the other, the oldest first. What is found is stored as it is found: when the
    provider fails on the way (`ProviderUnavailable`, `OutcomeUnknown`), a repeated run finds the same.
    """
    comparing = _Comparing(comparison)
    provider = comparison.provider
    unseen: list[Booked] = []
    for day in days_of(window):
        comparing.seen.clear()
        async for batch in in_batches(provider.list_payments(since=day.since, until=day.until)):
            await comparing.compare(batch)
        # What we began shortly before midnight, or a payer did later on a page, is of the next day there.
        await comparing.ask_for([each for each in unseen if each.attempt_id not in comparing.seen])
        unseen = await comparing.unseen_of(day)
    await comparing.ask_for(unseen)


@dataclass(slots=True)
class _Comparing:
    """Payments on their way through a run. `seen` are the attempts that the provider has listed for the
    day.
    """

    run: Comparison
    seen: set[UUID] = field(default_factory=set)

    async def compare(self, listed: Sequence[ListedPayment]) -> None:
        async with self.run.open_tx() as tx:
            tenant_id = tx.tenant_id
            booked = await booked_as(
                tx,
                self.run.provider.name,
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
                self.run.foreign_payments += 1

    async def unseen_of(self, day: Window) -> list[Booked]:
        """What is booked as paid and was not listed for the day on which it began."""
        unseen: list[Booked] = []
        last: Booked | None = None
        while True:
            async with self.run.open_tx() as tx:
                page = await booked_as_paid(
                    tx, self.run.provider.name, window=day, after=last, limit=BATCH_SIZE
                )
            unseen += [each for each in page if each.attempt_id not in self.seen]
            if len(page) < BATCH_SIZE:
                return unseen
            last = page[-1]

    async def ask_for(self, unseen: Sequence[Booked]) -> None:
        for ours in unseen:
            await self._judge(await self.run.provider.find(ours.provider_key), ours)

    async def _judge_listed(self, listed: ListedPayment, ours: Booked) -> Booked:
        """Ours, as it is once what the provider knows is recorded."""
        answer = listed.answer
        if mends(answer.state, here=ours.state):
            self.run.compared += 1
            return await self._mended(answer, ours)
        if may_be_second(listed.reference, there=answer.state, here=ours) and not (
            await self._is_same(listed, ours)
        ):
            self.run.compared += 1
            await self._report(
                Difference.PAID_TWICE, there=_standing(answer), here=ours, listed=listed
            )
        elif difference_of(_standing(answer), here=_booked(ours)) is None:
            self.run.compared += 1
        else:
            # Asked again, since money may have come and been booked after the list was read.
            await self._judge(await self.run.provider.find(ours.provider_key), ours)
        return ours

    async def _judge(self, answer: ProviderAnswer | None, ours: Booked) -> None:
        self.run.compared += 1
        there = _standing(answer)
        difference = difference_of(there, here=_booked(ours))
        if difference is not None:
            await self._report(difference, there=there, here=ours)

    async def _judge_unknown(self, listed: ListedPayment) -> None:
        self.run.compared += 1
        there = _standing(listed.answer)
        difference = difference_of(there, here=None)
        if difference is not None:
            await self._report(difference, there=there, here=None, listed=listed)

    async def _is_same(self, listed: ListedPayment, ours: Booked) -> bool:
        """Whether ours is the name of a page, and what is listed the payment that was made on it."""
        if (
            ours.provider_reference is None
            or Capability.CALLBACKS not in self.run.provider.capabilities
        ):
            return False
        known = await self.run.provider.look_up(ours.provider_reference)
        return known is not None and known.provider_reference == listed.reference

    async def _mended(self, answer: ProviderAnswer, ours: Booked) -> Booked:
        """One that fails is left as it is and keeps no other from being mended."""
        try:
            async with self.run.open_tx() as tx:
                payment = await record_attempt(
                    tx, attempt_id=ours.attempt_id, answer=answer, box=self.run.box
                )
        except Exception:  # noqa: BLE001 - whatever broke, the books differ still
            _log.exception("payment not mended", attempt_id=str(ours.attempt_id))
            self.run.differences += 1
            return ours
        if payment.state is PaymentState.PENDING:  # it could not be booked, and is with a person
            self.run.differences += 1
            return ours
        self.run.mended += 1
        return replace(
            ours,
            state=answer.state,
            provider_reference=answer.provider_reference,
            captured=answer.amount or ours.captured,
        )

    async def _report(
        self,
        difference: Difference,
        *,
        there: Standing | None,
        here: Booked | None,
        listed: ListedPayment | None = None,
    ) -> None:
        """Under the provider's names where it has listed it, else under ours."""
        reference = here.provider_reference if here else None
        key = here.provider_key if here else None
        await self.run.report(
            Finding(
                difference=difference,
                subject_type="payment",
                subject_id=here.payment_id if here else None,
                account_id=here.account_id if here else None,
                reference=listed.reference if listed else reference,
                provider_key=listed.provider_key if listed and here is None else key,
                there=there,
                here=_booked(here) if here else None,
            )
        )


def _standing(answer: ProviderAnswer | None) -> Standing | None:
    return None if answer is None else Standing(answer.state, answer.amount)


def _booked(ours: Booked) -> Standing:
    return Standing(ours.state, ours.captured)
