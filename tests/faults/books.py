"""Are a tenant's books right? What must hold whatever happened to the processes that wrote them."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import Any

from tests.conftest import Tenant


async def check_books(tenant: Tenant) -> None:
    """No charge missing, none twice, no number left out, and sums that agree."""
    async with tenant.tx() as tx:
        await _numbers(tx)
        await _periods(tx)
        await _sums(tx)
        await _records(tx)


async def _numbers(tx: Any) -> None:
    series = await tx.fetch(
        """select n.series_id, n.fiscal_year, n.last_sequence,
               (select array_agg(i.sequence order by i.sequence) from invoice i
                where i.series_id = n.series_id and i.fiscal_year = n.fiscal_year) as taken
           from invoice_number n"""
    )
    for row in series:
        assert row["taken"] == list(range(1, row["last_sequence"] + 1))
    assert await tx.fetch_value("select count(*) from invoice") == sum(
        row["last_sequence"] for row in series
    )


async def _periods(tx: Any) -> None:
    """Each component's charges tile the subscription's life from its start to where it stands."""
    subscriptions = {row["id"]: row for row in await tx.fetch("select * from subscription")}
    items = await tx.fetch(
        """select i.subscription_id, i.plan_component_id, c.timing from subscription_item i
           join plan_component c on c.id = i.plan_component_id where i.quantity > 0"""
    )
    charged = defaultdict(list)
    for row in await tx.fetch("select * from charge order by period_start"):
        charged[row["subscription_id"], row["plan_component_id"]].append(row)
    for item in items:
        own = subscriptions[item["subscription_id"]]
        lines = charged.pop((item["subscription_id"], item["plan_component_id"]), [])
        for earlier, later in pairwise(lines):
            assert earlier["period_end"] == later["period_start"]
        if item["timing"] == "in_advance":
            end = own["period_end"]
        else:
            end = own["ended_at"] or own["period_start"]
        if end == own["started_at"]:
            assert lines == []
        else:
            assert (lines[0]["period_start"], lines[-1]["period_end"]) == (own["started_at"], end)
    assert not charged


async def _sums(tx: Any) -> None:
    assert await tx.fetch_value("select count(*) from charge where invoice_id is null") == 0
    wrong = await tx.fetch(
        """select i.number from invoice i where (i.subtotal_minor, i.tax_minor) <> (
               select coalesce(sum(c.amount_minor), 0), coalesce(sum(c.tax_minor), 0)
               from charge c where c.invoice_id = i.id)"""
    )
    assert wrong == []


async def _records(tx: Any) -> None:
    """Every fact was told once."""
    counts = await tx.fetch_row(
        """select (select count(*) from invoice),
               (select count(*) from event where type = 'invoice.finalized'),
               (select count(distinct subject_id) from event where type = 'invoice.finalized')"""
    )
    assert len(set(counts)) == 1
    renewals = await tx.fetch_row(
        """select (select coalesce(sum(period_index), 0) from subscription),
               (select count(*) from event where type = 'subscription.renewed'),
               (select count(distinct (subject_id, data ->> 'period_index')) from event
                where type = 'subscription.renewed'),
               (select count(*) from audit_entry where action = 'subscription.renew')"""
    )
    assert len(set(renewals)) == 1
    moved = await tx.fetch_value(
        """select count(*) from entitlement_source e
           join subscription s on s.id = e.subscription_id
           where (e.period_start, e.period_end) <> (s.period_start, s.period_end)"""
    )
    assert moved == 0
