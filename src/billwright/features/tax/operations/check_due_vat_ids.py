"""How does the register's answer reach an account?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from billwright.features.tax.events import VatIdChecked
from billwright.features.tax.model import VatIdCheck, VatIdStatus
from billwright.features.tax.port import VatIdAnswer, VatIdRegister
from billwright.features.tax.rules.next_check import next_check_at
from billwright.features.tax.rules.vat_id import read_vat_id
from billwright.features.tax.sql.writes import claim_due_checks, record_checks
from billwright.runtime.db.tx import Tx

# The register limits how many questions a member state gets at once.
_BATCH_SIZE = 5
# Longer than a whole batch may take, whose questions are asked side by side.
_LEASE = timedelta(minutes=10)
_LIMIT_SECONDS = 60

_log = structlog.get_logger(__name__)


async def check_due_vat_ids(
    open_tx: Callable[[], AbstractAsyncContextManager[Tx]], *, register: VatIdRegister
) -> list[VatIdStatus]:
    """Ask the register about one batch of ids that are due, outside any transaction, and record its
    answers; what they were, and nothing when nothing was due.

    Without an answer an id stays what the last answer said it was, and is asked for again.
    """
    async with open_tx() as tx:
        now = tx.now
        claimed = await claim_due_checks(tx, leased_until=now + _LEASE, limit=_BATCH_SIZE)
    if not claimed:
        return []
    answers = await asyncio.gather(*(_ask(register, check) for check in claimed))
    checks = [
        _answered(check, answer, source=register.name, now=now)
        for check, answer in zip(claimed, answers, strict=True)
    ]
    async with open_tx() as tx:
        recorded = await record_checks(tx, checks)
        for before, after in zip(claimed, checks, strict=True):
            if after.account_id in recorded and after.status is not before.status:
                _publish(tx, after, source=register.name)
    return [VatIdStatus(answer.value) for answer in answers]


async def _ask(register: VatIdRegister, check: VatIdCheck) -> VatIdAnswer:
    vat_id = read_vat_id(check.vat_id or "", country="")
    assert vat_id is not None  # noqa: S101 - only ids in normal form are due
    try:
        async with asyncio.timeout(_LIMIT_SECONDS):
            return await register.check(vat_id)
    except Exception:  # noqa: BLE001 - whatever broke: the register has not answered
        _log.exception("register failed", register=register.name)
        return VatIdAnswer.UNAVAILABLE


def _answered(check: VatIdCheck, answer: VatIdAnswer, *, source: str, now: datetime) -> VatIdCheck:
    if answer is VatIdAnswer.UNAVAILABLE:
        known = check.status in {VatIdStatus.VALID, VatIdStatus.INVALID}
        return replace(
            check,
            status=check.status if known else VatIdStatus.UNAVAILABLE,
            next_check_at=next_check_at(VatIdStatus.UNAVAILABLE, attempts=check.attempts, now=now),
        )
    status = VatIdStatus(answer.value)
    return replace(
        check,
        status=status,
        source=source,
        checked_at=now,
        attempts=0,
        next_check_at=next_check_at(status, attempts=0, now=now),
    )


def _publish(tx: Tx, check: VatIdCheck, *, source: str) -> None:
    tx.publish(
        VatIdChecked(
            subject_id=check.account_id,
            account_id=check.account_id,
            vat_id=check.vat_id or "",
            status=check.status.value,
            source=source,
        )
    )
