"""What do tests of billing charge? Charges in few words, without a subscription behind them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from billwright.features.accounts.model import Account
from billwright.features.catalog.model import PlanVersion
from billwright.features.invoicing.model import (
    Billed,
    ChargeKind,
    InvoiceDraft,
    InvoiceTiming,
    LiveCharge,
    NewCharge,
)
from billwright.features.invoicing.operations.bill_charges import bill_charges
from billwright.features.invoicing.sql.reads import charges_of_invoice
from billwright.kernel.currency import currency_of
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import Tx
from tests.only_commands import allow_writing_by_hand

JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
MID_JANUARY = datetime(2026, 1, 16, 12, tzinfo=UTC)
FEBRUARY = datetime(2026, 2, 1, tzinfo=UTC)


def a_charge(amount_minor: int, **changes: Any) -> NewCharge:
    """January's service, taxed at the standard rate."""
    charge = NewCharge(
        subscription_id=None,
        plan_component_id=None,
        kind=ChargeKind.MANUAL,
        period_start=JANUARY,
        period_end=FEBRUARY,
        description="Consulting",
        quantity=Decimal(1),
        unit_name="",
        unit_price=None,
        amount_minor=amount_minor,
        tax_category="standard",
    )
    return replace(charge, **changes)


def the_rest_of(live: LiveCharge, amount_minor: int, **changes: Any) -> NewCharge:
    """A credit for the service from the middle of January on."""
    credit = replace(
        live.charge,
        kind=ChargeKind.PRORATION_CREDIT,
        period_start=MID_JANUARY,
        amount_minor=-amount_minor,
        discounts=(),
        corrects_charge_id=live.id,
    )
    return replace(credit, **changes)


def a_draft(account: Account, *charges: NewCharge, **changes: Any) -> InvoiceDraft:
    """In euros."""
    return replace(InvoiceDraft(account, currency_of("EUR"), charges), **changes)


async def billed(
    tx: Tx, account: Account, *charges: NewCharge, timing: InvoiceTiming = InvoiceTiming.BY_POLICY
) -> Billed:
    """What became of charges in one draft."""
    return await bill_charges(tx, [a_draft(account, *charges, timing=timing)])


async def invoiced_line(tx: Tx, account: Account, amount_minor: int, **changes: Any) -> LiveCharge:
    """The only line of a new invoice."""
    (document,) = (await billed(tx, account, a_charge(amount_minor, **changes))).documents
    (line,) = await charges_of_invoice(tx, document.id)
    return line


async def a_subscription_row(tx: Tx, account: Account, version: PlanVersion) -> UUID:
    """What charges refer to, without what makes a subscription live."""
    subscription_id = new_id()
    await allow_writing_by_hand(tx)
    await tx.insert(
        "subscription",
        [
            {
                "id": subscription_id,
                "number": subscription_id.int % 10**9,
                "account_id": account.id,
                "plan_version_id": version.id,
                "state": "active",
                "currency": "EUR",
                "zone": "UTC",
                "anchor_local": "2026-01-01T00:00:00",
                "interval_unit": "month",
                "interval_count": 1,
                "schedule_first_index": 0,
                "started_at": JANUARY,
                "period_index": 0,
                "period_start": JANUARY,
                "period_end": FEBRUARY,
                "metadata": {},
                "version": 1,
                "created_at": JANUARY,
                "updated_at": JANUARY,
            }
        ],
    )
    return subscription_id
