"""What does the database know of whose usage it is, and of what was billed for it?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from billwright.features.invoicing.sql.charge_rows import basis_of
from billwright.features.subscriptions.model import BilledUsage
from billwright.features.usage.model import UsagePlace
from billwright.runtime.db.tx import Tx

_ENDED = "('canceled', 'expired')"
_PLACE = """s.account_id, s.id as subscription_id, c.now as clock_now, w.ends_at as closed_until
    from {found} join subscription s on s.tenant_id = $1 and {subscription}
    join account a on a.tenant_id = s.tenant_id and a.id = s.account_id
    left join test_clock c on c.tenant_id = a.tenant_id and c.id = a.test_clock_id
    left join lateral (
        select u.ends_at from usage_window u
        where u.tenant_id = s.tenant_id and u.subscription_id = s.id
        order by u.ends_at desc limit 1) as w on true"""
_WINDOW = """w.id, w.subscription_id, w.plan_component_id, w.meter, w.meter_version, w.starts_at,
    w.ends_at, w.cutoff, w.quantity, w.events, w.digest, w.owed_minor, w.basis, w.adjustments
    from usage_window w"""


async def usage_places(tx: Tx, subscription_ids: Collection[UUID]) -> dict[UUID, UsagePlace]:
    """Whose usage it is, by subscription; unknown ones are absent."""
    rows = await tx.fetch(
        f"""select f.id as asked, {
            _PLACE.format(found="unnest($2::uuid[]) as f (id)", subscription="s.id = f.id")
        }""",
        tx.tenant_id,
        list(subscription_ids),
    )
    return {row["asked"]: _place(tx, row) for row in rows}


async def usage_places_of_subjects(
    tx: Tx, external_ids: Collection[str]
) -> dict[str, list[UsagePlace]]:
    """Whose usage it may be, by the external id of a subscription."""
    rows = await tx.fetch(
        f"""select f.id as asked, {
            _PLACE.format(found="unnest($2::text[]) as f (id)", subscription="s.external_id = f.id")
        }""",
        tx.tenant_id,
        list(external_ids),
    )
    return _by_asked(tx, rows)


async def usage_places_of_accounts(
    tx: Tx, account_ids: Collection[UUID]
) -> dict[UUID, list[UsagePlace]]:
    """Whose usage it may be, by account: its subscriptions that have not ended."""
    rows = await tx.fetch(
        f"""select f.id as asked, {
            _PLACE.format(
                found="unnest($2::uuid[]) as f (id)",
                subscription=f"s.account_id = f.id and s.state not in {_ENDED}",
            )
        }""",
        tx.tenant_id,
        list(account_ids),
    )
    return _by_asked(tx, rows)


async def accounts_of_subjects(tx: Tx, external_ids: Collection[str]) -> dict[str, UUID]:
    """Accounts by their external ids; unknown ones are absent."""
    rows = await tx.fetch(
        """select a.external_id, a.id from account a
           where a.tenant_id = $1 and a.external_id = any($2::text[])""",
        tx.tenant_id,
        list(external_ids),
    )
    return {row["external_id"]: row["id"] for row in rows}


async def billed_usage_within(
    tx: Tx, spans: Mapping[UUID, tuple[datetime, datetime]]
) -> list[BilledUsage]:
    """The billed windows that have any of a span, from and including when, by subscription."""
    rows = await tx.fetch(
        f"""select {_WINDOW} join unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[])
                as f (subscription_id, first, last)
                on w.subscription_id = f.subscription_id and w.ends_at > f.first
                    and w.starts_at <= f.last
            where w.tenant_id = $1 order by w.starts_at, w.id""",
        tx.tenant_id,
        list(spans),
        [first for first, _ in spans.values()],
        [last for _, last in spans.values()],
    )
    return [_billed(row) for row in rows]


async def list_billed_usage(
    tx: Tx, subscription_id: UUID, *, before: tuple[datetime, UUID] | None, limit: int
) -> list[BilledUsage]:
    """A subscription's billed windows, latest end first, after the one with that end and id."""
    at, window_id = before or (None, None)
    rows = await tx.fetch(
        f"""select {_WINDOW}
            where w.tenant_id = $1 and w.subscription_id = $2
                and ($3::timestamptz is null or (w.ends_at, w.id) < ($3, $4::uuid))
            order by w.ends_at desc, w.id desc limit $5""",
        tx.tenant_id,
        subscription_id,
        at,
        window_id,
        limit,
    )
    return [_billed(row) for row in rows]


def _by_asked(tx: Tx, rows: Collection[asyncpg.Record]) -> dict[Any, list[UsagePlace]]:
    places: dict[Any, list[UsagePlace]] = {}
    for row in rows:
        places.setdefault(row["asked"], []).append(_place(tx, row))
    return places


def _place(tx: Tx, row: asyncpg.Record) -> UsagePlace:
    return UsagePlace(
        account_id=row["account_id"],
        subscription_id=row["subscription_id"],
        now=row["clock_now"] or tx.now,
        closed_until=row["closed_until"],
    )


def _billed(row: asyncpg.Record) -> BilledUsage:
    return BilledUsage(
        id=row["id"],
        subscription_id=row["subscription_id"],
        plan_component_id=row["plan_component_id"],
        meter=row["meter"],
        meter_version=row["meter_version"],
        start=row["starts_at"],
        end=row["ends_at"],
        cutoff=row["cutoff"],
        quantity=row["quantity"],
        events=row["events"],
        digest=row["digest"],
        owed_minor=row["owed_minor"],
        basis=basis_of(row["basis"]),
        adjustments=row["adjustments"],
    )
