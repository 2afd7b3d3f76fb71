"""What comes of comparing a provider's books with ours?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

from billwright.features.payment_providers.port import PaymentProvider
from billwright.features.payments.model import NewReviewTask, ReviewKind
from billwright.features.payments.operations.open_review_task import open_review_task
from billwright.features.payments.rules.reconciliation import (
    Difference,
    Reconciliation,
    Standing,
    Window,
)
from billwright.features.payments.sql.reads_reviews import is_under_review
from billwright.features.payments.sql.writes_reconciliation import insert_reconciliation
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import OpenTx
from billwright.runtime.secrets import SecretBox

T = TypeVar("T")

BATCH_SIZE = 100
"""How much of a list is compared at once."""

_MOST_SHOWN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A difference that no person has resolved yet. `subject_type` is a payment, a refund or a dispute,
    and `subject_id` ours, where we have it; `reference` is what it is called there.
    """

    difference: Difference
    subject_type: str
    subject_id: UUID | None
    account_id: UUID | None
    reference: str | None
    provider_key: str | None
    there: Standing | None
    here: Standing | None


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What a run came to; of very many `findings` the first ones, all of them are review tasks."""

    run: Reconciliation
    findings: Sequence[Finding]


@dataclass(slots=True)
class Comparison:
    """A run on its way, which is given all that is compared, and is stored once that is everything."""

    open_tx: OpenTx
    provider: PaymentProvider
    box: SecretBox
    findings: list[Finding] = field(default_factory=list)
    compared: int = 0
    mended: int = 0
    differences: int = 0
    foreign_payments: int = 0

    async def report(self, finding: Finding) -> None:
        """Let a person explain what nothing can be booked for; the same is one task, whoever finds it."""
        task = NewReviewTask(
            kind=ReviewKind.RECONCILIATION_DIFFERENCE,
            subject_type=finding.subject_type,
            subject_id=finding.subject_id,
            account_id=finding.account_id,
            details={
                "difference": finding.difference,
                "provider": self.provider.name,
                "provider_reference": finding.reference,
                "provider_key": finding.provider_key,
                "there": _shown(finding.there),
                "here": _shown(finding.here),
            },
            dedup_key=f"reconciliation:{finding.difference}:{self.provider.name}"
            f":{finding.subject_id}:{finding.reference}",
        )
        async with self.open_tx() as tx:
            is_new = await open_review_task(tx, task)
            counts = is_new or await is_under_review(tx, task.dedup_key)
        if counts:
            self.differences += 1
            if len(self.findings) < _MOST_SHOWN:
                self.findings.append(finding)

    async def finish(self, window: Window) -> Reconciled:
        """Store the run: everything of its window was read."""
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


async def in_batches(source: AsyncIterator[T]) -> AsyncIterator[list[T]]:
    """What a provider lists, a batch after the other."""
    batch: list[T] = []
    async for each in source:
        batch.append(each)
        if len(batch) == BATCH_SIZE:
            yield batch
            batch = []
    if batch:
        yield batch


def _shown(standing: Standing | None) -> dict[str, object] | None:
    if standing is None:
        return None
    return {
        "state": standing.state,
        "amount_minor": standing.amount and standing.amount.amount_minor,
        "currency": standing.amount and standing.amount.currency.code,
    }
