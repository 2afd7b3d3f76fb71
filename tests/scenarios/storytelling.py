"""What do the stories share? Time that passes day by day, money that comes, and the ledger."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from billwright.features.accounts.model import Account
from billwright.features.invoicing.model import Invoice
from billwright.features.invoicing.sql.reads import list_invoices
from billwright.features.subscriptions.jobs import renew_due_subscriptions
from billwright.features.subscriptions.model import CancellationMode, Subscription
from billwright.features.subscriptions.operations.cancel_subscription import (
    CancelSubscription,
    cancel_subscription,
)
from billwright.runtime.clock import FixedClock
from tests.conftest import Tenant
from tests.features.payments.paying import collect, pay, reserve


async def live_until(
    tenant: Tenant, clock: FixedClock, until: datetime, *, every: timedelta = timedelta(days=1)
) -> None:
    """Let time pass, with a billing run at the end of each day or other span."""
    while clock.now() < until:
        clock.move_to(min(clock.now() + every, until))
        await renew_due_subscriptions(tenant.work())


async def cancel(tenant: Tenant, subscription: Subscription, mode: CancellationMode) -> None:
    async with tenant.tx() as tx:
        await cancel_subscription(
            tx, CancelSubscription(subscription_id=subscription.id, mode=mode)
        )


async def invoices_of(tenant: Tenant, account: Account | None = None) -> list[Invoice]:
    """Oldest first."""
    async with tenant.tx() as tx:
        found = await list_invoices(
            tx, before=None, limit=999, account_id=account.id if account else None
        )
    return found[::-1]


async def pay_in_full(tenant: Tenant, invoice: Invoice) -> None:
    command = pay(invoice, invoice.due_minor)
    await collect(tenant, await reserve(tenant, command))


async def revenue(tenant: Tenant) -> dict[str, tuple[int, int, int]]:
    """By currency: net, tax and what is still due, in minor units."""
    totals: dict[str, Counter[str]] = {}
    for invoice in await invoices_of(tenant):
        own = totals.setdefault(invoice.currency.code, Counter())
        own["net"] += invoice.subtotal_minor
        own["tax"] += invoice.tax_minor
        own["due"] += invoice.due_minor
    return {code: (own["net"], own["tax"], own["due"]) for code, own in totals.items()}


async def told(tenant: Tenant) -> Counter[str]:
    """How often each kind of fact was told."""
    async with tenant.tx() as tx:
        rows: Any = await tx.fetch("select type from event")
    return Counter(row["type"] for row in rows)
