"""Is what ends soon, and what was canceled, found without looking at everything?"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from billwright.features.subscriptions.model import CancellationState, TrialState
from billwright.features.subscriptions.sql.reads_cancellations import (
    CancellationFilter,
    cancellation_by_id,
    count_cancellations,
    list_cancellations,
)
from billwright.features.subscriptions.sql.reads_fingerprints import (
    is_had_with_method,
    redeeming_subscriptions,
    repeated_trials,
)
from billwright.features.subscriptions.sql.reads_trials import (
    RenewalFilter,
    TrialFilter,
    earliest_reminder,
    list_renewals,
    list_trials,
    trial_redeemed_at,
)
from billwright.features.subscriptions.sql.writes_cancellations import (
    conclude_cancellations,
    move_cancellations,
)
from billwright.features.subscriptions.sql.writes_fingerprints import (
    insert_trial_fingerprints,
    renew_fingerprint,
)
from billwright.features.subscriptions.sql.writes_trials import (
    claim_due_reminders,
    delete_trial_redemptions,
)
from billwright.kernel.refusal import Refusal
from tests.conftest import NOON
from tests.faults.crowd import a_crowd

SOON = NOON + timedelta(days=3)


class Explaining:
    """A transaction that shows the plans of what it is asked, and finds nothing."""

    def __init__(self, tx: Any) -> None:
        self.tx, self.tenant_id, self.now, self.plans = tx, tx.tenant_id, tx.now, []

    async def fetch(self, sql: str, *values: object) -> list[Any]:
        self.plans += [row[0] for row in await self.tx.fetch(f"explain {sql}", *values)]
        return []

    async def fetch_row(self, sql: str, *values: object) -> Any:
        await self.fetch(sql, *values)
        return None

    fetch_value = execute = fetch_row


def trials(**wanted: Any) -> Any:
    return lambda tx: list_trials(tx, TrialFilter(**wanted), after=(SOON, uuid4()), limit=21)


def renewals(**wanted: Any) -> Any:
    return lambda tx: list_renewals(tx, RenewalFilter(**wanted), after=(SOON, uuid4()), limit=21)


def cancellations(**wanted: Any) -> Any:
    return lambda tx: list_cancellations(
        tx, CancellationFilter(**wanted), after=(SOON, uuid4()), limit=21
    )


def claim(**clock: Any) -> Any:
    return lambda tx: claim_due_reminders(
        tx, **{"test_clock_id": None, **clock}, as_of=SOON, limit=9
    )


def renewed(tx: Any) -> Any:
    return renew_fingerprint(tx, digest=b"2", former=[b"1"])


async def one_cancellation(tx: Any) -> None:
    with pytest.raises(Refusal):
        await cancellation_by_id(tx, uuid4())


_BY_TIME = "cancellation_tenant_id_requested_at_id_idx"
_BY_ACCOUNT = "cancellation_tenant_id_account_id_subscription_id_idx"
_OF_ACCOUNT = r"subscription_(tenant_id_account_id_id_key|trial|renewal)"
ASKED: dict[str, tuple[str, Any]] = {
    "trials": ("subscription_trial", trials()),
    "trials_of_account": (_OF_ACCOUNT, trials(account_id=uuid4())),
    "trials_of_plan": ("subscription_trial|plan_version", trials(plan_code="team")),
    "trials_by_state": ("subscription_trial", trials(state=TrialState.ACTIVE)),
    "trials_between": ("subscription_trial", trials(ends_after=NOON, ends_before=SOON)),
    "renewals": ("subscription_renewal", renewals()),
    "renewals_of_account": (_OF_ACCOUNT, renewals(account_id=uuid4())),
    "renewals_until": ("subscription_renewal", renewals(renews=True, since=NOON, until=SOON)),
    "reminders": ("subscription_reminder", claim()),
    "reminders_on_a_clock": (
        "subscription_reminder|subscription_tenant_id_test_clock_id",
        claim(test_clock_id=uuid4()),
    ),
    "earliest": (
        "subscription_reminder|subscription_tenant_id_test_clock_id",
        lambda tx: earliest_reminder(tx, uuid4()),
    ),
    "redeemed_by_account": (
        "trial_redemption_tenant_id_account_id_plan_code_key",
        lambda tx: trial_redeemed_at(tx, account_id=uuid4(), email_key="a@b", plan_code="team"),
    ),
    "redeemed_by_mail": (
        "trial_redemption_tenant_id_email_key_plan_code_key",
        lambda tx: trial_redeemed_at(tx, account_id=uuid4(), email_key="a@b", plan_code="team"),
    ),
    "redeeming": (
        "trial_redemption_tenant_id_account_id_plan_code_key",
        lambda tx: redeeming_subscriptions(tx, uuid4()),
    ),
    "had_with_a_method": (
        "account_fingerprint_pkey",
        lambda tx: is_had_with_method(tx, uuid4(), plan_code="team"),
    ),
    "repeated": (
        "trial_fingerprint_(pkey|tenant_id_subscription_id_plan_code_idx)",
        lambda tx: repeated_trials(tx, uuid4(), fingerprint_digest=b"1"),
    ),
    "had_with_all": (
        "account_fingerprint_pkey",
        lambda tx: insert_trial_fingerprints(tx, [uuid4()]),
    ),
    "renewed_of_accounts": ("account_fingerprint_tenant_id_fingerprint_digest_idx", renewed),
    "renewed_of_trials": ("trial_fingerprint_pkey", renewed),
    "forgotten": ("trial_redemption_pkey", lambda tx: delete_trial_redemptions(tx, [uuid4()])),
    "cancellations": (_BY_TIME, cancellations()),
    "cancellations_of_account": (_BY_ACCOUNT, cancellations(account_id=uuid4())),
    "cancellations_by_state": (
        f"{_BY_TIME}|cancellation_pending",
        cancellations(state=CancellationState.PENDING),
    ),
    "cancellations_between": (_BY_TIME, cancellations(since=NOON, until=SOON)),
    "report": (
        _BY_TIME,
        lambda tx: count_cancellations(tx, since=NOON, until=NOON + timedelta(hours=1), zone="UTC"),
    ),
    "one": ("cancellation_pkey", one_cancellation),
    "concluded": (
        "cancellation_pending",
        lambda tx: conclude_cancellations(tx, {uuid4(): NOON}, state=CancellationState.UNDONE),
    ),
    "moved": ("cancellation_pending", lambda tx: move_cancellations(tx, {uuid4(): NOON})),
}


async def _fill(connection: Any, tenant_id: Any) -> None:
    """Everybody has had a trial with a card, and has canceled ten times and taken it back."""
    await connection.execute(
        """insert into trial_redemption
           select tenant_id, id, 'team', account_id, number || '@riverbank.example', $2
           from subscription where tenant_id = $1""",
        tenant_id,
        NOON,
    )
    await connection.execute(
        """insert into account_fingerprint
           select tenant_id, account_id, sha256(account_id::text::bytea), redeemed_at
           from trial_redemption where tenant_id = $1""",
        tenant_id,
    )
    await connection.execute(
        """insert into trial_fingerprint
           select tenant_id, sha256(account_id::text::bytea), plan_code, subscription_id
           from trial_redemption where tenant_id = $1""",
        tenant_id,
    )
    await connection.execute(
        """insert into cancellation
           select s.tenant_id, gen_random_uuid(), s.account_id, s.id, 'team',
               case when n = 1 then 'pending' else 'undone' end, 'now', $2, 'requested', null, null,
               null, true, null, null, null, $2::timestamptz + n * s.number * interval '1 minute',
               case when n > 1 then $2 end, null
           from subscription s, generate_series(1, 10) n where s.tenant_id = $1""",
        tenant_id,
        NOON,
    )


@pytest.mark.parametrize("asked", ASKED)
async def test_it_is_found_by_an_index(tenant, migrated_database, asked):
    index, ask = ASKED[asked]
    await a_crowd(tenant, 300)
    connection = await asyncpg.connect(migrated_database)
    try:
        await _fill(connection, tenant.id)
        await connection.execute("analyze")
    finally:
        await connection.close()
    async with tenant.tx() as tx:
        explaining = Explaining(tx)
        await ask(explaining)
    plan = "\n".join(explaining.plans)
    assert re.search(f"(using|on) ({index})", plan), plan
    assert "Seq Scan" not in plan, plan
