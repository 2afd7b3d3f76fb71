"""What is kept of dunning, and what does the invoice say about it?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from billwright.features.dunning.model import DunningCaseId, PolicyScope
from billwright.features.dunning.rules.case import Case, Settlement
from billwright.features.dunning.rules.policy import DunningPolicy
from billwright.features.invoicing.model import InvoiceId, InvoiceState
from billwright.features.subscriptions.model import SubscriptionState
from billwright.kernel.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPolicy:
    """A policy with what it was set for; one that was never set has no version."""

    policy: DunningPolicy
    scope: PolicyScope
    version: int | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Debt:
    """What dunning needs to know of an invoice; amounts in minor units, `due` with its currency."""

    invoice_id: InvoiceId
    number: str
    state: InvoiceState
    due: Money
    paid_minor: int
    credited_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Debtor:
    """A subscription with a line on an invoice."""

    subscription_id: UUID
    plan_id: UUID
    state: SubscriptionState
    past_due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningCase:
    """The case of one debt: how it stands, and the policy that it was opened under.

    `due_at` is when it is looked at next of itself.
    """

    id: DunningCaseId
    account_id: UUID
    subscription_ids: tuple[UUID, ...]
    policy: DunningPolicy
    standing: Case
    debt: Debt
    due_at: datetime | None
    version: int
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One thing that happened to a case, as it was published."""

    at: datetime
    type: str
    data: dict[str, Any]


_ENDED = frozenset({SubscriptionState.CANCELED, SubscriptionState.EXPIRED})
_AWAITING = frozenset({*_ENDED, SubscriptionState.INCOMPLETE})


def settlement_of(debt: Debt) -> Settlement | None:
    """What has ended a debt, by its invoice; none while something is to be collected."""
    match debt.state:
        case InvoiceState.PAID if debt.credited_minor and not debt.paid_minor:
            return Settlement.CREDITED
        case InvoiceState.PAID:
            return Settlement.PAID
        case InvoiceState.VOID:
            return Settlement.VOIDED
        case InvoiceState.UNCOLLECTIBLE:
            return Settlement.WRITTEN_OFF
        case _:
            return None


def pursued(debtors: tuple[Debtor, ...]) -> tuple[Debtor, ...] | None:
    """The subscriptions for which an invoice is pursued; none at all when it is not: of those on it,
    each has ended, or still waits for this very payment and ends without it.

    An invoice without subscriptions is a debt like others.
    """
    living = tuple(one for one in debtors if one.state not in _AWAITING)
    return None if debtors and not living else living


def plan_of(debtors: tuple[Debtor, ...]) -> UUID | None:
    """The plan whose policy may hold: that of all of them."""
    plans = {one.plan_id for one in debtors}
    return plans.pop() if len(plans) == 1 else None


def past_due_since(debtors: tuple[Debtor, ...], *, now: datetime) -> datetime:
    """From when grace is counted: since the subscriptions became past due, which may be by an earlier
    invoice. The one that became so last counts, so that none has less grace than the policy gives.
    """
    return max((one.past_due_at or now for one in debtors), default=now)
