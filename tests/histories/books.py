"""Do a tenant's documents, charges and credit add up? Whatever was billed, credited, paid and voided."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from tests.conftest import Tenant


async def check_documents(tenant: Tenant) -> None:
    """No number left out, no cent lost between lines, tax, totals, credit notes and the credit ledger."""
    async with tenant.tx() as tx:
        await _numbers(tx)
        await _lines(tx)
        await _corrections(tx)
        await _notes(tx)
        await _ledger(tx)
        await _promotions(tx)


async def _none(tx: Any, sql: str) -> None:
    wrong = await tx.fetch(sql)
    assert wrong == [], [dict(row) for row in wrong]


async def _numbers(tx: Any) -> None:
    series = await tx.fetch(
        """select n.series_id, n.fiscal_year, n.last_sequence,
               (select array_agg(i.sequence order by i.sequence) from invoice i
                where i.series_id = n.series_id and i.fiscal_year = n.fiscal_year) as taken
           from invoice_number n"""
    )
    for row in series:
        assert (row["taken"] or []) == list(range(1, row["last_sequence"] + 1)), dict(row)
    assert await tx.fetch_value("select count(*) from invoice where number is not null") == sum(
        row["last_sequence"] for row in series
    )


async def _lines(tx: Any) -> None:
    """A document is the sum of its lines, its tax that of its rates, and what is due follows."""
    await _none(
        tx,
        """select i.number, i.subtotal_minor, i.tax_minor, i.total_minor, l.*
           from invoice i cross join lateral (
               select coalesce(sum(c.amount_minor
                          - case when c.tax_inclusive then c.tax_minor else 0 end), 0) as net,
                      coalesce(sum(c.tax_minor), 0) as tax, count(*) as lines,
                      coalesce(max(c.position), 0) as last, coalesce(max(c.line_count), 0) as counted
               from charge c where c.invoice_id = i.id) as l
           where i.number is not null
               and ((i.subtotal_minor, i.tax_minor) <> (l.net, l.tax)
                   or i.total_minor <> i.subtotal_minor + i.tax_minor
                   or l.lines <> l.last or l.lines <> l.counted)""",
    )
    await _none(
        tx,
        """select i.number, i.tax_minor, i.taxes from invoice i
           where (select coalesce(sum((part ->> 'tax_minor')::bigint), 0)
                  from jsonb_array_elements(i.taxes) as part) <> i.tax_minor
               or (select coalesce(sum((part ->> 'base_minor')::bigint), 0)
                   from jsonb_array_elements(i.taxes) as part) <> i.subtotal_minor""",
    )
    await _none(tx, "select number from invoice where kind = 'invoice' and due_minor < 0")


async def _corrections(tx: Any) -> None:
    """A charge knows what was given back of it, which is never more than it was."""
    await _none(
        tx,
        """select c.id, c.kind, c.amount_minor, c.credited_minor, k.given
           from charge c cross join lateral (
               select coalesce(-sum(k.amount_minor), 0) as given
               from charge k left join invoice i on i.id = k.invoice_id
               where k.corrects_charge_id = c.id and i.state is distinct from 'void') as k
           where c.corrects_charge_id is null
               and (c.credited_minor <> k.given or c.credited_minor > c.amount_minor)""",
    )


async def _notes(tx: Any) -> None:
    """What notes on an invoice took off what is due, and gave elsewhere, is what they come to."""
    await _none(
        tx,
        """select number from invoice
           where kind = 'credit_note' and corrects_invoice_id is null and number is not null
               and state <> 'void' and to_balance_minor + to_refund_minor > -total_minor""",
    )
    await _none(
        tx,
        """select i.number, i.total_minor, n.* from invoice i cross join lateral (
               select coalesce(-sum(n.total_minor), 0) as given
               from invoice n where n.corrects_invoice_id = i.id) as n
           where i.kind = 'invoice' and n.given > i.total_minor
               and not exists (select from charge c where c.invoice_id = i.id
                               and c.corrects_charge_id is not null)""",
    )


async def _ledger(tx: Any) -> None:
    """An account's credit is the sum of its entries, each of which says what was there after it."""
    balances: dict[tuple[Any, str], int] = defaultdict(int)
    for row in await tx.fetch("select * from credit_entry order by id"):
        key = row["account_id"], row["currency"]
        balances[key] += row["amount_minor"]
        assert balances[key] == row["balance_minor"] >= 0
    kept = await tx.fetch("select * from credit_balance")
    assert {(row["account_id"], row["currency"]): row["balance_minor"] for row in kept} == balances
    await _none(
        tx,
        """select i.number, i.to_balance_minor, i.credit_applied_minor, e.* from invoice i
           cross join lateral (
               select coalesce(sum(e.amount_minor) filter (where e.kind = 'credit_note'), 0) as given,
                      coalesce(-sum(e.amount_minor)
                          filter (where e.kind in ('applied', 'returned')), 0) as taken
               from credit_entry e where e.invoice_id = i.id) as e
           where i.state <> 'void' and (i.to_balance_minor <> e.given
               or i.credit_applied_minor <> e.taken)""",
    )


async def _promotions(tx: Any) -> None:
    """A charge's discount is what promotions took off it."""
    await _none(
        tx,
        """select c.id, c.discount_minor from charge c where c.discount_minor <> (
               select coalesce(sum(d.amount_minor), 0) from discount d where d.charge_id = c.id)""",
    )
    await _none(
        tx,
        """select r.id, p.amount_minor, r.remaining_minor from redemption r
           join promotion p on p.id = r.promotion_id
           where p.kind = 'fixed_amount' and p.duration = 'once'
               and r.remaining_minor + (
                   select coalesce(sum(d.amount_minor), 0) from discount d
                   join charge c on c.id = d.charge_id left join invoice i on i.id = c.invoice_id
                   where d.redemption_id = r.id and i.state is distinct from 'void'
               ) <> p.amount_minor""",
    )
