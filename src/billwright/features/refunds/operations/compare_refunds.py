"""Do a provider and we know of the same money that went back?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from billwright.features.payment_providers.port import ListedRefund, ProviderAnswer
from billwright.features.payments.operations.comparison import (
    BATCH_SIZE,
    Comparison,
    Finding,
    in_batches,
)
from billwright.features.payments.rules.reconciliation import Difference, Standing, Window
from billwright.features.payments.sql.reads_reconciliation import known_payments
from billwright.features.refunds.model import Refund, RefundState
from billwright.features.refunds.operations.record_external_refund import record_external_refund
from billwright.features.refunds.operations.record_refund import record_refund
from billwright.features.refunds.rules.reconciling import is_second_refund, refund_difference
from billwright.features.refunds.rules.refund_rank import refund_state_of, supersedes
from billwright.features.refunds.sql.reads_reconciliation import given_back, refunds_known_as

_log = structlog.get_logger(__name__)


async def compare_refunds(comparison: Comparison, window: Window) -> None:
    """Record what a provider's list of refunds says and nobody has told, as if its callback had come. Of
    what we believe to have gone back and was not listed, the provider is asked one by one.
    """
    comparing = _Comparing(comparison)
    listed = comparison.provider.list_refunds(since=window.since, until=window.until)
    async for batch in in_batches(listed):
        await comparing.compare(batch)
    await comparing.ask_for_unlisted(window)


@dataclass(slots=True)
class _Comparing:
    """Refunds on their way through a run; `seen` are those that the provider has listed."""

    run: Comparison
    seen: set[UUID] = field(default_factory=set)

    async def compare(self, listed: Sequence[ListedRefund]) -> None:
        provider = self.run.provider.name
        async with self.run.open_tx() as tx:
            tenant_id = tx.tenant_id
            known = await refunds_known_as(
                tx,
                provider,
                keys=[each.provider_key for each in listed if each.provider_key],
                references=[each.reference for each in listed],
            )
            payments = await known_payments(
                tx,
                provider,
                references=[each.payment_reference for each in listed if each.payment_reference],
            )
        by_key = {each.provider_key: each for each in known}
        by_reference = {each.provider_reference: each for each in known}
        for each in listed:
            ours = by_key.get(each.provider_key or "") or by_reference.get(each.reference)
            if ours is not None:
                self.seen.add(ours.id)
                await self._judge_listed(each, ours)
            elif each.provider_key is not None and each.tenant_id == tenant_id:
                await self._report_unknown(each)
            elif each.provider_key is None and each.payment_reference in payments:
                await self._book(each)

    async def ask_for_unlisted(self, window: Window) -> None:
        """Those that began before the window there, or are not there at all."""
        last: Refund | None = None
        while True:
            async with self.run.open_tx() as tx:
                page = await given_back(
                    tx, self.run.provider.name, window=window, after=last, limit=BATCH_SIZE
                )
            for ours in page:
                if ours.id not in self.seen:
                    await self._judge(await self._answer(ours), ours)
            if len(page) < BATCH_SIZE:
                return
            last = page[-1]

    async def _answer(self, ours: Refund) -> ProviderAnswer | None:
        """By its own name where it has one, which is what the provider finds at once."""
        if ours.provider_reference:
            return await self.run.provider.look_up(ours.provider_reference)
        return await self.run.provider.find_refund(ours.provider_key)

    async def _judge_listed(self, listed: ListedRefund, ours: Refund) -> None:
        answer = listed.answer
        if is_second_refund(listed.reference, there=answer, here=ours):
            self.run.compared += 1
            await self._report(Difference.PAID_TWICE, listed.reference, there=answer, here=ours)
        elif supersedes(answer.state, known=ours) or refund_difference(answer, here=ours) is None:
            await self._judge(answer, ours)
        else:
            # Asked again, since more may have been told and booked after the list was read.
            await self._judge(await self.run.provider.look_up(listed.reference), ours)

    async def _judge(self, answer: ProviderAnswer | None, ours: Refund) -> None:
        self.run.compared += 1
        if answer is not None and supersedes(answer.state, known=ours):
            await self._record(answer, ours)
        elif (difference := refund_difference(answer, here=ours)) is not None:
            reference = answer.provider_reference if answer else ours.provider_reference
            await self._report(difference, reference, there=answer, here=ours)

    async def _record(self, answer: ProviderAnswer, ours: Refund) -> None:
        """One that fails is left as it is and keeps no other from being recorded."""
        try:
            async with self.run.open_tx() as tx:
                await record_refund(tx, refund_id=ours.id, answer=answer)
        except Exception:  # noqa: BLE001 - whatever broke, the books differ still
            _log.exception("refund not recorded", refund_id=str(ours.id))
            self.run.differences += 1
        else:
            self.run.mended += 1

    async def _book(self, listed: ListedRefund) -> None:
        """What somebody has given back of a payment of ours at the provider itself."""
        self.run.compared += 1
        if refund_state_of(listed.answer.state) is RefundState.FAILED:
            return
        try:
            async with self.run.open_tx() as tx:
                is_booked = await record_external_refund(
                    tx,
                    reference=listed.reference,
                    payment_reference=listed.payment_reference,
                    answer=listed.answer,
                    provider=self.run.provider.name,
                )
        except Exception:  # noqa: BLE001 - whatever broke, the books differ still
            _log.exception("refund not booked", reference=listed.reference)
            self.run.differences += 1
            return
        if is_booked:
            self.run.mended += 1
        else:
            await self._report(
                Difference.UNKNOWN_HERE, listed.reference, there=listed.answer, here=None
            )

    async def _report_unknown(self, listed: ListedRefund) -> None:
        self.run.compared += 1
        if refund_state_of(listed.answer.state) is not RefundState.FAILED:
            await self._report(
                Difference.UNKNOWN_HERE, listed.reference, there=listed.answer, here=None
            )

    async def _report(
        self,
        difference: Difference,
        reference: str | None,
        *,
        there: ProviderAnswer | None,
        here: Refund | None,
    ) -> None:
        await self.run.report(
            Finding(
                difference=difference,
                subject_type="refund",
                subject_id=here.id if here else None,
                account_id=here.account_id if here else None,
                reference=reference,
                provider_key=here.provider_key if here else None,
                there=Standing(refund_state_of(there.state), there.amount) if there else None,
                here=Standing(here.state, here.amount) if here else None,
            )
        )
