"""What do we have of what a provider lists, and when was that compared last?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from billwright.features.payment_providers.model import AttemptState
from billwright.features.payments.rules.reconciliation import Booked, Reconciliation, Window
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.runtime.db.tx import Tx

_BOOKED = """t.id, t.payment_id, p.account_id, t.provider_key, t.provider_reference, t.state, p.currency,
    p.captured_minor, t.created_at"""


async def booked_as(
    tx: Tx, provider: str, *, keys: Sequence[str], references: Sequence[str]
) -> list[Booked]:
    """The attempts that a provider knows by one of our keys, or that we know by one of its references."""
    rows = await tx.fetch(
        f"""select {_BOOKED} from (
                select id from payment_attempt
                where tenant_id = $1 and provider_key = any($3::text[])
                union
                select id from payment_attempt
                where tenant_id = $1 and provider_reference is not null
                    and provider_reference = any($4::text[])
            ) found
            join payment_attempt t on t.tenant_id = $1 and t.id = found.id
            join payment p on p.tenant_id = t.tenant_id and p.id = t.payment_id
            where t.provider = $2 order by t.id""",
        tx.tenant_id,
        provider,
        keys,
        references,
    )
    return [_booked_from_row(row) for row in rows]


async def booked_as_paid(
    tx: Tx, provider: str, *, window: Window, after: Booked | None, limit: int
) -> list[Booked]:
    """The attempts of a window that have succeeded, the oldest first, `after` the one named."""
    rows = await tx.fetch(
        f"""select {_BOOKED} from payment_attempt t
            join payment p on p.tenant_id = t.tenant_id and p.id = t.payment_id
            where t.tenant_id = $1 and t.provider = $2 and t.state = 'succeeded'
                and t.created_at >= $3 and t.created_at < $4 and (t.created_at, t.id) > ($5, $6)
            order by t.created_at, t.id limit $7""",
        tx.tenant_id,
        provider,
        window.since,
        window.until,
        window.since if after is None else after.created_at,
        UUID(int=0) if after is None else after.attempt_id,
        limit,
    )
    return [_booked_from_row(row) for row in rows]


async def known_payments(tx: Tx, provider: str, *, references: Sequence[str]) -> set[str]:
    """Which of a provider's names are those of payments of ours, or of their pages."""
    rows = await tx.fetch(
        """select provider_reference as name from payment_attempt
               where tenant_id = $1 and provider = $2 and provider_reference = any($3::text[])
           union
           select page_reference from payment_attempt
               where tenant_id = $1 and provider = $2 and page_reference = any($3::text[])""",
        tx.tenant_id,
        provider,
        references,
    )
    return {row["name"] for row in rows}


async def last_compared_until(tx: Tx, provider: str) -> datetime | None:
    """Up to when a provider's books are known to have been compared."""
    until: datetime | None = await tx.fetch_value(
        """select until from reconciliation where tenant_id = $1 and provider = $2
           order by until desc limit 1""",
        tx.tenant_id,
        provider,
    )
    return until


async def list_reconciliations(
    tx: Tx, *, before: UUID | None, limit: int, provider: str | None = None
) -> list[Reconciliation]:
    """Runs, newest first, that come after the one named `before` in that order."""
    rows = await tx.fetch(
        """select id, provider, since, until, compared, mended, differences, foreign_payments,
                finished_at
            from reconciliation
            where tenant_id = $1 and ($2::uuid is null or id < $2)
                and ($4::text is null or provider = $4)
            order by id desc limit $3""",
        tx.tenant_id,
        before,
        limit,
        provider,
    )
    return [
        Reconciliation(
            id=row["id"],
            provider=row["provider"],
            window=Window(row["since"], row["until"]),
            compared=row["compared"],
            mended=row["mended"],
            differences=row["differences"],
            foreign_payments=row["foreign_payments"],
            finished_at=row["finished_at"],
        )
        for row in rows
    ]


def _booked_from_row(row: asyncpg.Record) -> Booked:
    return Booked(
        attempt_id=row["id"],
        payment_id=row["payment_id"],
        account_id=row["account_id"],
        provider_key=row["provider_key"],
        provider_reference=row["provider_reference"],
        state=AttemptState(row["state"]),
        captured=Money(row["captured_minor"], currency_of(row["currency"])),
        created_at=row["created_at"],
    )
