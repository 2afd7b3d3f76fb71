"""How do the cases go on whose time has come?"""

from __future__ import annotations

import asyncio
from datetime import datetime
from uuid import UUID

import structlog

from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.accounts.operations.park_account import UNBILLABLE
from billwright.features.dunning.operations.advance_case import advance_or_set_aside
from billwright.features.dunning.operations.has_method import has_method
from billwright.features.dunning.rules.next_look import found, tries_again
from billwright.features.dunning.rules.records import DunningCase
from billwright.features.dunning.sql.reads import cases_by_id, due_cases
from billwright.features.dunning.sql.writes import claim_due_cases
from billwright.features.payment_providers.port import PaymentProviders
from billwright.features.payments.model import AttemptId
from billwright.features.payments.operations.collect_attempt import collect_attempt
from billwright.features.payments.operations.withdraw_waiting import withdraw_waiting
from billwright.features.payments.sql.reads import live_attempts_of
from billwright.runtime.db.tx import OpenTx, Tx
from billwright.runtime.secrets import SecretBox

# Each attempt is a call to a provider, and they are made all at once.
_BATCH_SIZE = 20

_log = structlog.get_logger(__name__)


async def take_due_steps(
    open_tx: OpenTx,
    *,
    as_of: datetime,
    test_clock_id: UUID | None,
    providers: PaymentProviders,
    box: SecretBox,
) -> int:
    """Take one batch of cases over what is due by `as_of`, and collect what they ask for; how many
    cases that were, none when nothing is due any more.

    A page that a payer has left open is closed before an attempt, so that nobody pays twice.
    """
    for invoice_id in await _invoices_to_free(open_tx, as_of=as_of, test_clock_id=test_clock_id):
        try:
            await withdraw_waiting(open_tx, invoice_id, providers=providers, box=box)
        except Exception:  # noqa: BLE001 - whatever broke: the page then holds the schedule
            _log.exception("page not closed", invoice_id=str(invoice_id))
    async with open_tx() as tx:
        claimed = await claim_due_cases(
            tx, as_of=as_of, test_clock_id=test_clock_id, limit=_BATCH_SIZE
        )
        attempt_ids = await _look_at(tx, claimed)
    outcomes = await asyncio.gather(
        *(collect_attempt(open_tx, one, providers=providers, box=box) for one in attempt_ids),
        return_exceptions=True,
    )
    for attempt_id, outcome in zip(attempt_ids, outcomes, strict=True):
        if isinstance(outcome, BaseException):
            # The worker that looks for the outcome of attempts finds it.
            _log.error("attempt not collected", attempt_id=str(attempt_id), exc_info=outcome)
    return len(claimed)


async def _invoices_to_free(
    open_tx: OpenTx, *, as_of: datetime, test_clock_id: UUID | None
) -> list[UUID]:
    """The invoices that are about to be tried again while something is live on them."""
    async with open_tx() as tx:
        upcoming = await due_cases(tx, as_of=as_of, test_clock_id=test_clock_id, limit=_BATCH_SIZE)
        wanted = [
            case.debt.invoice_id
            for case, zone in upcoming
            if _tries_again(case, at=tx.now, zone=zone)
        ]
        return list(await live_attempts_of(tx, wanted)) if wanted else []


def _tries_again(case: DunningCase, *, at: datetime, zone: str) -> bool:
    try:
        return tries_again(case.standing, case.policy, at=at, zone=zone)
    except UNBILLABLE:
        return False  # It is set aside when its turn comes.


async def _look_at(tx: Tx, case_ids: list[UUID]) -> list[AttemptId]:
    """Tell each case what it finds; their accounts are locked."""
    if not case_ids:
        return []
    attempt_ids = []
    cases = await cases_by_id(tx, case_ids)
    live = await live_attempts_of(tx, [case.debt.invoice_id for case in cases])
    for case in cases:
        account = await lock_account(tx, case.account_id)
        is_in_the_way = case.debt.invoice_id in live and _tries_again(
            case, at=tx.now, zone=account.zone
        )
        event = found(
            case.standing,
            case.debt,
            is_live=case.debt.invoice_id in live,
            is_in_the_way=is_in_the_way,
            has_method=await has_method(tx, account, policy=case.policy),
            at=tx.now,
        )
        attempt_id = await advance_or_set_aside(tx, case, event=event, account=account)
        if attempt_id is not None:
            attempt_ids.append(attempt_id)
    return attempt_ids
