"""Do a provider and we know of the same claims of banks?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from billwright.features.payment_providers.port import Dispute
from billwright.features.payments.operations.comparison import (
    BATCH_SIZE,
    Comparison,
    Finding,
    in_batches,
)
from billwright.features.payments.rules.reconciliation import Difference, Standing, Window
from billwright.features.payments.sql.reads_reconciliation import known_payments
from billwright.features.refunds.model import StoredDispute
from billwright.features.refunds.operations.record_dispute import record_dispute
from billwright.features.refunds.rules.dispute_rank import supersedes
from billwright.features.refunds.rules.reconciling import dispute_difference
from billwright.features.refunds.sql.reads_reconciliation import disputes_known_as
from billwright.features.refunds.sql.writes import claim_open_disputes, note_asked

_MOST_ASKED = 500

_log = structlog.get_logger(__name__)


async def compare_disputes(comparison: Comparison, window: Window) -> None:
    """Record what a provider's list of disputes says and nobody has told, as if its callback had come.

    A bank may take months to decide. Of those that are open here and were not listed, the provider is
    asked one by one, of so many in a run, those first of which it was asked longest ago.
    """
    comparing = _Comparing(comparison)
    async with comparison.open_tx() as tx:
        begun_at = tx.machine_now
    listed = comparison.provider.list_disputes(since=window.since, until=window.until)
    async for batch in in_batches(listed):
        await comparing.compare(batch)
    asked = 0
    while asked < _MOST_ASKED:
        async with comparison.open_tx() as tx:
            page = await claim_open_disputes(
                tx, comparison.provider.name, asked_before=begun_at, limit=BATCH_SIZE
            )
        if not page:
            return
        for ours in page:
            await comparing.ask_for(ours)
        asked += len(page)


@dataclass(slots=True)
class _Comparing:
    """Disputes on their way through a run."""

    run: Comparison

    async def compare(self, listed: Sequence[Dispute]) -> None:
        provider = self.run.provider.name
        async with self.run.open_tx() as tx:
            known = await disputes_known_as(
                tx, provider, references=[each.reference for each in listed]
            )
            payments = await known_payments(
                tx,
                provider,
                references=[each.payment_reference for each in listed if each.payment_reference],
            )
            await note_asked(tx, [each.id for each in known])
        by_reference = {each.provider_reference: each for each in known}
        for each in listed:
            ours = by_reference.get(each.reference)
            if ours is not None and not _is_settled(each, ours):
                await self.ask_for(ours)
            elif ours is not None:
                await self._judge(each, ours)
            elif each.payment_reference in payments:
                self.run.compared += 1
                await self._record(each, None)

    async def ask_for(self, ours: StoredDispute) -> None:
        await self._judge(await self.run.provider.find_dispute(ours.provider_reference), ours)

    async def _judge(self, there: Dispute | None, ours: StoredDispute) -> None:
        self.run.compared += 1
        if there is not None and supersedes(there.state, known=ours.state):
            await self._record(there, ours)
        elif (difference := dispute_difference(there, here=ours)) is not None:
            await self._report(difference, ours.provider_reference, there=there, here=ours)

    async def _record(self, there: Dispute, ours: StoredDispute | None) -> None:
        """One that fails is left as it is and keeps no other from being recorded."""
        try:
            async with self.run.open_tx() as tx:
                is_booked = await record_dispute(tx, there, provider=self.run.provider.name)
        except Exception:  # noqa: BLE001 - whatever broke, the books differ still
            _log.exception("dispute not recorded", reference=there.reference)
            self.run.differences += 1
            return
        if is_booked:
            self.run.mended += 1
        else:
            await self._report(Difference.UNKNOWN_HERE, there.reference, there=there, here=ours)

    async def _report(
        self,
        difference: Difference,
        reference: str,
        *,
        there: Dispute | None,
        here: StoredDispute | None,
    ) -> None:
        await self.run.report(
            Finding(
                difference=difference,
                subject_type="dispute",
                subject_id=here.id if here else None,
                account_id=here.account_id if here else None,
                reference=reference,
                provider_key=None,
                there=Standing(there.state, there.amount) if there else None,
                here=Standing(here.state, here.amount) if here else None,
            )
        )


def _is_settled(listed: Dispute, ours: StoredDispute) -> bool:
    """Whether the list leaves no question; more may have been told and booked after it was read."""
    is_news = supersedes(listed.state, known=ours.state)
    return is_news or dispute_difference(listed, here=ours) is None
