"""What is decided of a document before it has a number?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from billwright.features.accounts.model import Account
from billwright.features.invoicing.model import (
    DocumentKind,
    InvoiceDraft,
    InvoiceId,
    InvoiceState,
    LiveCharge,
    NewCharge,
)
from billwright.features.invoicing.rules.collection import Gathered
from billwright.features.invoicing.rules.parties import Party, buyer_party
from billwright.features.invoicing.rules.settlement import settlement_state
from billwright.features.invoicing.rules.surplus import NO_SURPLUS, SurplusAllocation
from billwright.features.invoicing.rules.totals import Totals, totals_of
from billwright.features.tax.model import TaxDecision
from billwright.features.tax.rules.rate import line_rate
from billwright.features.tax.rules.tax_point import tax_point
from billwright.features.tenancy.model import Seller
from billwright.kernel.quick import quickly_made


@dataclass(frozen=True, slots=True)
class IssueTerms:
    """What holds for every document that is made at one instant; `taxes` has each account's."""

    seller: Seller
    taxes: Mapping[UUID, TaxDecision]
    issued_at: datetime
    issued_on: date

    def totals_of(self, draft: InvoiceDraft, charges: Sequence[NewCharge]) -> Totals:
        """The totals of charges to the draft's payer, with the rates of their tax points; a charge that
        brings its rate, since it corrects another, keeps it.
        """
        tax = self.taxes[draft.account.id]
        known: dict[tuple[str, datetime], Decimal] = {}  # most lines of a document share theirs

        def rate_of(charge: NewCharge) -> Decimal:
            if charge.tax_rate is not None:
                return charge.tax_rate
            service = charge.tax_category, charge.period_end
            rate = known.get(service)
            if rate is None:
                rate = known[service] = self._rate(*service, tax=tax)
            return rate

        return totals_of(charges, draft.currency, rate_of=rate_of)

    def _rate(self, category: str, service_end: datetime, *, tax: TaxDecision) -> Decimal:
        day = tax_point(
            service_end=service_end,
            issued_at=self.issued_at,
            issued_on=self.issued_on,
            zone=self.seller.zone,
        )
        return line_rate(category, tax=tax, own_rates=self.seller.tax_rates, on=day)

    def due_on(self, account: Account) -> date:
        """The last day to pay an invoice; an account's own terms win."""
        terms = account.payment_terms_days
        days = self.seller.payment_terms_days if terms is None else terms
        return self.issued_on + timedelta(days=days)


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedDocument:
    """A document with everything that finalizing it decides but the number.

    `pulled` are lines that are rows already and come first; the charges of the draft are not stored
    yet. `credit_applied_minor` comes from the account's credit. `was_kept`: it was a draft until now.
    """

    id: InvoiceId
    kind: DocumentKind
    state: InvoiceState
    draft: InvoiceDraft
    pulled: Sequence[LiveCharge]
    tax: TaxDecision
    totals: Totals
    total_minor: int
    due_minor: int
    buyer: Party
    due_on: date | None
    credit_applied_minor: int
    was_kept: bool
    surplus: SurplusAllocation

    @property
    def charges(self) -> tuple[NewCharge, ...]:
        """All lines, in their order."""
        own = self.draft.charges
        return (*(each.charge for each in self.pulled), *own) if self.pulled else own


def prepare(
    gathered: Gathered,
    *,
    new_id: InvoiceId,
    terms: IssueTerms,
    credit_applied_minor: int = 0,
    surplus: SurplusAllocation = NO_SURPLUS,
) -> PreparedDocument:
    """A document as it is now, when its account's credit pays `credit_applied_minor` of it; `new_id`
    is its own unless it was kept as a draft and has one. Less than nothing makes a credit note, on
    which nothing is due.
    """
    account = gathered.draft.account
    total_minor = gathered.totals.total_minor
    is_invoice = total_minor >= 0
    due_minor = total_minor - credit_applied_minor if is_invoice else 0
    return PreparedDocument(
        id=gathered.kept_as or new_id,
        kind=DocumentKind.INVOICE if is_invoice else DocumentKind.CREDIT_NOTE,
        state=settlement_state(due_minor=due_minor, total_minor=total_minor),
        draft=gathered.draft,
        pulled=gathered.pulled,
        tax=terms.taxes[account.id],
        totals=gathered.totals,
        total_minor=total_minor,
        due_minor=due_minor,
        buyer=buyer_party(account),
        due_on=terms.due_on(account) if is_invoice else None,
        credit_applied_minor=credit_applied_minor,
        was_kept=gathered.kept_as is not None,
        surplus=surplus,
    )
