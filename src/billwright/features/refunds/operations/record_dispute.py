"""What does a bank's claim on a payment do?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from billwright.features.invoicing.model import CreditChange, CreditEntryKind
from billwright.features.invoicing.operations.change_credit import change_credit
from billwright.features.invoicing.operations.reverse_settlement import reverse_settlement
from billwright.features.invoicing.sql.reads_credit import credit_balance, refunded_minor
from billwright.features.payment_providers.model import DisputeState
from billwright.features.payment_providers.port import Dispute
from billwright.features.payments.model import NewReviewTask, ReviewKind
from billwright.features.payments.operations.open_review_task import open_review_task
from billwright.features.payments.sql.reads import payment_of_reference
from billwright.features.refunds.events import DisputeClosed, DisputeOpened
from billwright.features.refunds.model import DisputeId, StoredDispute
from billwright.features.refunds.operations.lock_refund import LockedPayment, lock_payment
from billwright.features.refunds.operations.refund_credit_notes import refund_what_is_owed
from billwright.features.refunds.rules.dispute_rank import supersedes
from billwright.features.refunds.sql.reads import dispute_of_reference
from billwright.features.refunds.sql.writes import insert_dispute, update_dispute
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True)
class _Loss:
    """What a lost dispute took, in minor units: of the invoice, of the account's credit, and of neither,
    because it was given back or used before.
    """

    from_invoice_minor: int
    from_credit_minor: int
    unbooked_minor: int


async def record_dispute(tx: Tx, dispute: Dispute, *, provider: str) -> bool:
    """Book how a dispute stands; false when its payment is not known yet, so that it may come again.

    An open one moves nothing, but what it is about cannot be refunded as well; once it is won, what
    credit notes promised meanwhile is. A lost one takes the
    money off its invoice, which is due again, and what had become credit off the account. A person is
    asked to answer the bank, and after a loss what follows for the customer.
    """
    known = await dispute_of_reference(tx, provider=provider, reference=dispute.reference)
    payment_id = known.payment_id if known else await _payment_of(tx, dispute, provider=provider)
    if payment_id is None:
        return False
    locked = await lock_payment(tx, payment_id)
    known = await dispute_of_reference(tx, provider=provider, reference=dispute.reference)
    if known is None and locked.own_money is None:
        return False
    if known is not None and not supersedes(dispute.state, known=known.state):
        return True
    stored = await _store(tx, dispute, known=known, locked=locked, provider=provider)
    tx.audit(
        "dispute.record",
        subject_type="dispute",
        subject_id=stored.id,
        details={"from": known and known.state, "to": stored.state},
    )
    if stored.state is DisputeState.OPEN:
        await _open(tx, stored, locked=locked)
    else:
        await _close(tx, stored, locked=locked)
    if stored.state is DisputeState.WON:
        await refund_what_is_owed(tx, locked.invoice.id)
    if stored.state is DisputeState.LOST:
        await _lose(tx, stored, known=known, locked=locked)
    return True


async def _payment_of(tx: Tx, dispute: Dispute, *, provider: str) -> UUID | None:
    if dispute.payment_reference is None:
        return None
    return await payment_of_reference(tx, provider=provider, reference=dispute.payment_reference)


async def _store(
    tx: Tx,
    dispute: Dispute,
    *,
    known: StoredDispute | None,
    locked: LockedPayment,
    provider: str,
) -> StoredDispute:
    closed_at = None if dispute.state is DisputeState.OPEN else tx.machine_now
    if known is not None:
        changed = replace(
            known,
            state=dispute.state,
            amount=dispute.amount,
            closed_at=closed_at,
            version=known.version + 1,
            updated_at=tx.machine_now,
        )
        await update_dispute(tx, changed)
        return changed
    stored = StoredDispute(
        id=DisputeId(new_id()),
        account_id=locked.payment.account_id,
        payment_id=locked.payment.id,
        provider=provider,
        provider_reference=dispute.reference,
        state=dispute.state,
        amount=dispute.amount,
        reason=dispute.reason,
        respond_by=dispute.respond_by,
        closed_at=closed_at,
        version=1,
        created_at=tx.machine_now,
        updated_at=tx.machine_now,
    )
    await insert_dispute(tx, stored)
    return stored


async def _open(tx: Tx, dispute: StoredDispute, *, locked: LockedPayment) -> None:
    tx.publish(
        DisputeOpened(
            subject_id=dispute.id,
            account_id=dispute.account_id,
            payment_id=dispute.payment_id,
            invoice_id=locked.invoice.id,
            currency=dispute.amount.currency.code,
            amount_minor=dispute.amount.amount_minor,
            reason=dispute.reason,
            respond_by=dispute.respond_by,
        )
    )
    await _ask_a_person(
        tx,
        dispute,
        kind=ReviewKind.DISPUTE_OPENED,
        details={"reason": dispute.reason, "respond_by": dispute.respond_by},
    )


async def _close(tx: Tx, dispute: StoredDispute, *, locked: LockedPayment) -> None:
    tx.publish(
        DisputeClosed(
            subject_id=dispute.id,
            account_id=dispute.account_id,
            payment_id=dispute.payment_id,
            invoice_id=locked.invoice.id,
            currency=dispute.amount.currency.code,
            amount_minor=dispute.amount.amount_minor,
            outcome=dispute.state,
        )
    )


async def _lose(
    tx: Tx, dispute: StoredDispute, *, known: StoredDispute | None, locked: LockedPayment
) -> None:
    loss = await _loss(tx, dispute, known=known, locked=locked)
    if loss.from_invoice_minor:
        await reverse_settlement(tx, locked.invoice, amount_minor=loss.from_invoice_minor)
    if loss.from_credit_minor:
        change = CreditChange(
            account_id=dispute.account_id,
            currency=locked.payment.amount.currency,
            kind=CreditEntryKind.WITHDRAWN,
            amount_minor=-loss.from_credit_minor,
            invoice_id=locked.invoice.id,
            reason=dispute.reason,
        )
        await change_credit(tx, [change])
    await _ask_a_person(
        tx,
        dispute,
        kind=ReviewKind.DISPUTE_LOST,
        details={
            "invoice_id": locked.invoice.id,
            "from_invoice_minor": loss.from_invoice_minor,
            "from_credit_minor": loss.from_credit_minor,
            "unbooked_minor": loss.unbooked_minor,
        },
    )


async def _loss(
    tx: Tx, dispute: StoredDispute, *, known: StoredDispute | None, locked: LockedPayment
) -> _Loss:
    """Where lost money is taken from: the part on the invoice first, as far as neither refunds nor the
    promises of credit notes have given it back.
    """
    money, invoice = locked.own_money, locked.invoice
    amount_minor = dispute.amount.amount_minor
    if money is None or dispute.amount.currency != locked.payment.amount.currency:
        return _Loss(0, 0, amount_minor)
    is_counted = known is not None and known.state is not DisputeState.WON
    if known is not None and is_counted and known.amount.currency == dispute.amount.currency:
        # It is not to stand in its own way.
        others_minor = money.disputed_minor - known.amount.amount_minor
        money = replace(money, disputed_minor=others_minor)
    kept_minor = max(invoice.paid_minor - await refunded_minor(tx, invoice.id), 0)
    from_invoice_minor = min(amount_minor, money.applied_left_minor, kept_minor)
    rest_minor = amount_minor - from_invoice_minor
    balance = await credit_balance(tx, dispute.account_id, currency=dispute.amount.currency)
    from_credit_minor = min(rest_minor, money.unapplied_left_minor, balance.amount_minor)
    return _Loss(from_invoice_minor, from_credit_minor, rest_minor - from_credit_minor)


async def _ask_a_person(
    tx: Tx, dispute: StoredDispute, *, kind: ReviewKind, details: dict[str, object]
) -> None:
    await open_review_task(
        tx,
        NewReviewTask(
            kind=kind,
            subject_type="dispute",
            subject_id=dispute.id,
            account_id=dispute.account_id,
            details={
                "payment_id": dispute.payment_id,
                "amount_minor": dispute.amount.amount_minor,
                "currency": dispute.amount.currency.code,
                **details,
            },
            dedup_key=f"{kind.value}:{dispute.id}",
        ),
    )
