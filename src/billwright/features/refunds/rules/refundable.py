"""How much of a payment can be given back, and for what?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMoney:
    """What has come of a payment and where it went, in minor units; refunds that failed count nowhere.

    `unapplied_minor` became credit of the account, the rest of `captured_minor` was booked on the
    invoice. Credit notes gave back `for_notes_minor` of that, and `from_credit_minor` was paid out of
    the credit. What went past us (`by_provider_minor`, and `disputed_minor` that a bank has or may
    take) is taken from the part on the invoice first.
    """

    payment_id: UUID
    account_id: UUID
    provider: str
    captured_minor: int
    unapplied_minor: int
    for_notes_minor: int = 0
    from_credit_minor: int = 0
    by_provider_minor: int = 0
    disputed_minor: int = 0

    @property
    def _booked_minor(self) -> int:
        """What is on the invoice and no credit note has given back."""
        return self.captured_minor - self.unapplied_minor - self.for_notes_minor

    @property
    def _gone_minor(self) -> int:
        return self.by_provider_minor + self.disputed_minor

    @property
    def applied_left_minor(self) -> int:
        """What can be given back of the part on the invoice."""
        return max(self._booked_minor - self._gone_minor, 0)

    @property
    def unapplied_left_minor(self) -> int:
        """What can be given back of the part that became credit."""
        beyond = max(self._gone_minor - max(self._booked_minor, 0), 0)
        return max(self.unapplied_minor - self.from_credit_minor - beyond, 0)

    @property
    def given_back_minor(self) -> int:
        """What was given back of the part on the invoice, whoever did it."""
        return self.for_notes_minor + min(self.by_provider_minor, max(self._booked_minor, 0))


def still_to_refund_minor(
    asked_minor: int, *, promised_minor: int, payments: Sequence[PaymentMoney]
) -> int:
    """How much of what is asked for the credit notes of an invoice still owe its payer.

    Of `promised_minor`, the sum of what all of them promised, that is what has not gone back yet: what
    the provider gave back by itself, before its credit note was written, is not given twice.
    """
    given_back = sum(payment.given_back_minor for payment in payments)
    return min(asked_minor, max(promised_minor - given_back, 0))


def shares_of_refund(
    amount_minor: int, payments: Sequence[PaymentMoney]
) -> tuple[tuple[UUID, int], ...]:
    """Which payments give back how much, in their order, as far as they have it."""
    shares = []
    left = amount_minor
    for payment in payments:
        share = min(left, payment.applied_left_minor)
        if share:
            shares.append((payment.payment_id, share))
            left -= share
    return tuple(shares)
