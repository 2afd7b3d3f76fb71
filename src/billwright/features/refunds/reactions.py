"""What do refunds do about credit notes?"""

from __future__ import annotations

from billwright.features.invoicing.events import CreditNoteIssued
from billwright.features.refunds.operations.refund_credit_notes import refund_credit_notes
from billwright.runtime.queue.registry import Consequence

CONSEQUENCES = [Consequence("refund_credit_notes", CreditNoteIssued, refund_credit_notes)]
