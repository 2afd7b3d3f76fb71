"""What does the sandbox write down of money that goes back although nobody here has asked for it?"""

from __future__ import annotations

import secrets
from datetime import datetime

from billwright.features.payment_providers.model import AttemptState
from billwright.kernel.money import Money
from billwright.providers.payment.sandbox.behaviors import Behavior
from billwright.providers.payment.sandbox.events import dispute_reference
from billwright.providers.payment.sandbox.ledger import Entry


def dispute_about(payment: Entry, *, now: datetime) -> Entry:
    """A bank wants all of a payment back."""
    reference = dispute_reference(payment.reference)
    return _made_there(payment, reference, kind="dispute", amount=payment.amount, now=now)


def refund_made_there(payment: Entry, amount: Money, *, now: datetime) -> Entry:
    """Somebody has refunded a payment on the sandbox's own pages."""
    reference = f"sandbox_refund_{secrets.token_hex(8)}"
    return _made_there(payment, reference, kind="refund", amount=amount, now=now)


def _made_there(
    payment: Entry, reference: str, *, kind: str, amount: Money | None, now: datetime
) -> Entry:
    """As nobody here has given it a key, it goes by the sandbox's own name."""
    return Entry(
        reference=reference,
        provider_key=reference,
        kind=kind,
        tenant_id=None,
        state=AttemptState.SUCCEEDED,
        behavior=Behavior.PAID,
        created_at=now,
        amount=amount,
        payment_reference=payment.reference,
        is_made_there=True,
    )
