"""What does the database know of unpaid invoices that are pursued?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from billwright.features.dunning.errors import payment_failure_unknown
from billwright.features.dunning.model import DunningCaseId
from billwright.features.dunning.rules.case import Case, CaseState, Origin
from billwright.features.dunning.rules.policy import policy_of
from billwright.features.dunning.rules.records import Debt, Debtor, DunningCase, Told
from billwright.features.invoicing.model import InvoiceId, InvoiceState
from billwright.features.subscriptions.model import SubscriptionState
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.runtime.db.json import from_json
from billwright.runtime.db.tx import Tx

_INVOICE_COLUMNS = """i.id as invoice_id, i.number, i.state as invoice_state, i.currency, i.due_minor,
    i.paid_minor, i.credited_minor"""
_CASES = f"""select c.id, c.account_id, c.subscription_ids, c.policy, c.state, c.step, c.attempts,
    c.opened_at, c.past_due_at, c.waiting_since, c.next_step_at, c.under_way, c.is_chargeable,
    c.has_fresh_method, c.noticed, c.entitlement_index, c.paused_until, c.ended_at, c.due_at,
    c.version, c.updated_at, {_INVOICE_COLUMNS}
    from dunning_case c join invoice i on i.tenant_id = c.tenant_id and i.id = c.invoice_id"""


async def case_by_id(tx: Tx, case_id: UUID) -> DunningCase:
    """One case. Refuses: `payment_failure_unknown`."""
    found = await cases_by_id(tx, [case_id])
    if not found:
        raise payment_failure_unknown(case_id=case_id)
    return found[0]


async def cases_by_id(tx: Tx, case_ids: Sequence[UUID]) -> list[DunningCase]:
    """Many cases in one query, those of an account together."""
    rows = await tx.fetch(
        f"""{_CASES} where c.tenant_id = $1 and c.id = any($2::uuid[])
            order by c.account_id, c.id""",
        tx.tenant_id,
        case_ids,
    )
    return [_case_from_row(row) for row in rows]


async def list_cases(
    tx: Tx,
    *,
    before: UUID | None,
    limit: int,
    account_id: UUID | None = None,
    invoice_id: UUID | None = None,
    state: CaseState | None = None,
) -> list[DunningCase]:
    """Cases, newest first, that come after the one named `before` in that order."""
    rows = await tx.fetch(
        f"""{_CASES}
            where c.tenant_id = $1 and ($2::uuid is null or c.id < $2)
                and ($4::uuid is null or c.account_id = $4)
                and ($5::uuid is null or c.invoice_id = $5)
                and ($6::text is null or c.state = $6)
            order by c.id desc limit $3""",
        tx.tenant_id,
        before,
        limit,
        account_id,
        invoice_id,
        state.value if state else None,
    )
    return [_case_from_row(row) for row in rows]


async def cases_of_invoices(tx: Tx, invoice_ids: Sequence[UUID]) -> list[DunningCase]:
    """The cases that still wait for the money of these invoices."""
    rows = await tx.fetch(
        f"""{_CASES}
            where c.tenant_id = $1 and c.invoice_id = any($2::uuid[])
                and c.state in ('open', 'exhausted')
            order by c.account_id, c.id""",
        tx.tenant_id,
        invoice_ids,
    )
    return [_case_from_row(row) for row in rows]


async def cases_of_accounts(tx: Tx, account_ids: Sequence[UUID]) -> list[DunningCase]:
    """The cases that still wait for money of these accounts."""
    rows = await tx.fetch(
        f"""{_CASES}
            where c.tenant_id = $1 and c.account_id = any($2::uuid[])
                and c.state in ('open', 'exhausted')
            order by c.account_id, c.id""",
        tx.tenant_id,
        account_ids,
    )
    return [_case_from_row(row) for row in rows]


async def debt_of(tx: Tx, invoice_id: UUID) -> Debt | None:
    """What is to be known of an invoice; none when it is not one that can be owed."""
    row = await tx.fetch_row(
        f"""select {_INVOICE_COLUMNS} from invoice i
            where i.tenant_id = $1 and i.id = $2 and i.kind = 'invoice' and i.number is not null""",
        tx.tenant_id,
        invoice_id,
    )
    return _debt_from_row(row) if row else None


async def debtors_of(tx: Tx, invoice_id: UUID) -> tuple[Debtor, ...]:
    """The subscriptions that an invoice has lines of."""
    rows = await tx.fetch(
        """select distinct s.id, s.state, s.past_due_at, v.plan_id
           from charge c
           join subscription s on s.tenant_id = c.tenant_id and s.id = c.subscription_id
           join plan_version v on v.tenant_id = s.tenant_id and v.id = s.plan_version_id
           where c.tenant_id = $1 and c.invoice_id = $2
           order by s.id""",
        tx.tenant_id,
        invoice_id,
    )
    return tuple(
        Debtor(
            subscription_id=row["id"],
            plan_id=row["plan_id"],
            state=SubscriptionState(row["state"]),
            past_due_at=row["past_due_at"],
        )
        for row in rows
    )


async def ended_subscriptions(tx: Tx, subscription_ids: Sequence[UUID]) -> set[UUID]:
    """Those of these subscriptions that are over."""
    rows = await tx.fetch(
        """select id from subscription
           where tenant_id = $1 and id = any($2::uuid[]) and state in ('canceled', 'expired')""",
        tx.tenant_id,
        subscription_ids,
    )
    return {row["id"] for row in rows}


async def earliest_due(tx: Tx, test_clock_id: UUID) -> datetime | None:
    """When a case on a test clock is first to be looked at; parked accounts are left out."""
    at: datetime | None = await tx.fetch_value(
        """select min(c.due_at) from account a
           join dunning_case c on c.tenant_id = a.tenant_id and c.account_id = a.id
           where a.tenant_id = $1 and a.test_clock_id = $2 and a.parked_reason is null
               and c.due_at is not null""",
        tx.tenant_id,
        test_clock_id,
    )
    return at


async def due_cases(
    tx: Tx, *, as_of: datetime, test_clock_id: UUID | None, limit: int
) -> list[tuple[DunningCase, str]]:
    """Up to `limit` cases that are to be looked at, each with its account's zone, those that have
    waited longest first; nothing is locked.
    """
    clock = (
        "a.test_clock_id = $4" if test_clock_id else "a.test_clock_id is null and $4::uuid is null"
    )
    rows = await tx.fetch(
        f"""select d.*, a.zone
            from ({_CASES} where c.tenant_id = $1 and c.due_at <= $2) d
            join account a on a.tenant_id = $1 and a.id = d.account_id
            where a.parked_reason is null and {clock}
            order by d.due_at limit $3""",
        tx.tenant_id,
        as_of,
        limit,
        test_clock_id,
    )
    return [(_case_from_row(row), row["zone"]) for row in rows]


async def history_of_case(tx: Tx, case_id: UUID, *, limit: int) -> list[Told]:
    """What happened to a case last, the oldest of that first."""
    rows = await tx.fetch(
        """select type, occurred_at, data from event
           where tenant_id = $1 and subject_id = $2 order by id desc limit $3""",
        tx.tenant_id,
        case_id,
        limit,
    )
    return [
        Told(at=row["occurred_at"], type=row["type"], data=from_json(row["data"]))
        for row in reversed(rows)
    ]


def _case_from_row(row: asyncpg.Record) -> DunningCase:
    return DunningCase(
        id=DunningCaseId(row["id"]),
        account_id=row["account_id"],
        subscription_ids=tuple(row["subscription_ids"]),
        policy=policy_of(from_json(row["policy"])),
        standing=Case(
            opened_at=row["opened_at"],
            past_due_at=row["past_due_at"],
            state=CaseState(row["state"]),
            step=row["step"],
            attempts=row["attempts"],
            waiting_since=row["waiting_since"],
            next_step_at=row["next_step_at"],
            under_way=Origin(row["under_way"]) if row["under_way"] else None,
            chargeable=row["is_chargeable"],
            fresh_method=row["has_fresh_method"],
            noticed=tuple(row["noticed"]),
            entitlement_index=row["entitlement_index"],
            paused_until=row["paused_until"],
            ended_at=row["ended_at"],
        ),
        debt=_debt_from_row(row),
        due_at=row["due_at"],
        version=row["version"],
        updated_at=row["updated_at"],
    )


def _debt_from_row(row: asyncpg.Record) -> Debt:
    return Debt(
        invoice_id=InvoiceId(row["invoice_id"]),
        number=row["number"],
        state=InvoiceState(row["invoice_state"]),
        due=Money(row["due_minor"], currency_of(row["currency"])),
        paid_minor=row["paid_minor"],
        credited_minor=row["credited_minor"],
    )
