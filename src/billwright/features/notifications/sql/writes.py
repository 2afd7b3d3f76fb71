"""How do requests for messages come to be and change?"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

from billwright.features.notifications.model import (
    NewRequest,
    NotificationRequest,
    Outcome,
)
from billwright.features.notifications.sql.reads import REQUEST_COLUMNS, request_from_row
from billwright.kernel.ids import new_id
from billwright.runtime.db.json import to_json
from billwright.runtime.db.tx import Tx


async def insert_requests(tx: Tx, requests: Sequence[NewRequest], *, kept_until: datetime) -> int:
    """Store requests whose deduplication key is new; how many those were. They expire at `kept_until`,
    but for those that say otherwise.

    Transactions that ask for messages about the same subject come one after the other, so that each
    continues its sequence; the locks are taken in one order, and end with the transaction.
    """
    await tx.execute(
        "select pg_advisory_xact_lock(hashtextextended(s::text, 0)) from unnest($1::uuid[]) as s",
        sorted({request.subject_id for request in requests}),
    )
    return await tx.execute(
        """with known as (
               select subject_id, max(sequence) as last from notification_request
               where tenant_id = $1 and subject_id = any($9::uuid[]) group by subject_id
           )
           insert into notification_request (tenant_id, id, type, version, account_id,
               contact_id, user_id, to_address, recipient_role, locale, subject_type, subject_id,
               sequence, data, dedup_key, priority, state, attempts, next_attempt_at, occurred_at,
               expires_at)
           select $1, r.id, r.type, r.version, r.account_id, r.contact_id, r.user_id, r.to_address,
               r.role, r.locale, r.subject_type, r.subject_id,
               coalesce(known.last, 0)
                   + row_number() over (partition by r.subject_id order by r.position),
               r.data, r.dedup_key, r.priority, 'pending', 0, $2, r.occurred_at,
               coalesce(r.expires_at, $3)
           from unnest($4::uuid[], $5::text[], $6::int[], $7::uuid[], $8::text[], $9::uuid[],
               $10::text[], $11::jsonb[], $12::text[], $13::int[], $14::timestamptz[], $15::uuid[],
               $16::uuid[], $17::text[], $18::text[], $19::timestamptz[])
               with ordinality as r (id, type, version, account_id, locale, subject_id,
                   subject_type, data, dedup_key, priority, occurred_at, contact_id,
                   user_id, to_address, role, expires_at, position)
           left join known on known.subject_id = r.subject_id
           on conflict (tenant_id, dedup_key) do nothing""",
        tx.tenant_id,
        tx.now,
        kept_until,
        [new_id() for _ in requests],
        [request.type for request in requests],
        [request.version for request in requests],
        [request.account_id for request in requests],
        [request.locale for request in requests],
        [request.subject_id for request in requests],
        [request.subject_type for request in requests],
        [to_json(request.data) for request in requests],
        [request.dedup_key for request in requests],
        [request.priority for request in requests],
        [request.occurred_at for request in requests],
        [request.contact_id for request in requests],
        [request.user_id for request in requests],
        [request.to_address for request in requests],
        [request.recipient_role.value for request in requests],
        [request.expires_at for request in requests],
    )


async def claim_due_requests(
    tx: Tx, *, leased_until: datetime, limit: int
) -> list[NotificationRequest]:
    """Take up to `limit` requests that are due, each the first pending one about its subject for its
    recipient: an address that does not work keeps nobody else waiting. Messages to users tell no
    story, and none of them waits for another.

    Until `leased_until` nobody else takes them; requests that another worker is taking are passed
    over.
    """
    # Materialized, because a join could otherwise run the limited part again for every row.
    rows = await tx.fetch(
        f"""with due as materialized (
                select p.id from notification_request p
                where p.tenant_id = $1 and p.state = 'pending' and p.next_attempt_at <= $2
                    and (p.user_id is not null or not exists (
                        select from notification_request e
                        where e.tenant_id = p.tenant_id and e.subject_id = p.subject_id
                            and e.sequence < p.sequence and e.state = 'pending'
                            and e.contact_id is not distinct from p.contact_id))
                order by p.priority desc, p.next_attempt_at, p.id
                limit $4
                for update skip locked
            )
            update notification_request r
            set attempts = r.attempts + 1, next_attempt_at = $3
            from due where r.tenant_id = $1 and r.id = due.id
            returning {REQUEST_COLUMNS}""",
        tx.tenant_id,
        tx.now,
        leased_until,
        limit,
    )
    return [request_from_row(row) for row in rows]


async def record_outcomes(tx: Tx, outcomes: Sequence[Outcome]) -> None:
    """Store what became of attempts, in one statement.

    An attempt that was overtaken, because its lease ran out, still counts when it was delivered.
    """
    await tx.execute(
        """update notification_request r
           set state = u.state, next_attempt_at = u.next_attempt_at, last_error = u.error,
               delivered_at = case when u.state = 'delivered' then $2::timestamptz end
           from unnest($3::uuid[], $4::int[], $5::text[], $6::timestamptz[], $7::text[])
               as u (id, attempts, state, next_attempt_at, error)
           where r.tenant_id = $1 and r.id = u.id and r.state = 'pending'
               and (r.attempts = u.attempts or u.state = 'delivered')""",
        tx.tenant_id,
        tx.now,
        [outcome.request_id for outcome in outcomes],
        [outcome.attempts for outcome in outcomes],
        [outcome.state.value for outcome in outcomes],
        [outcome.next_attempt_at for outcome in outcomes],
        [outcome.error for outcome in outcomes],
    )


async def stop_types(tx: Tx, types: AbstractSet[str]) -> None:
    """Keep in mind that the notification service wants nothing of these types."""
    if not types:
        return
    await tx.execute(
        """insert into notification_stop (tenant_id, type, stopped_at)
           select $1, type, $2 from unnest($3::text[]) as stopped (type)
           on conflict (tenant_id, type) do update set stopped_at = excluded.stopped_at""",
        tx.tenant_id,
        tx.now,
        sorted(types),
    )
