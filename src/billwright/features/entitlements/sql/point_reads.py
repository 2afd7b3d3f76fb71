"""How are many access questions that arrive together answered?

By one statement: what comes in while a statement is on its way waits for the next one. A question
brings its own tenant, which is that of the authenticated caller and never of the request, because
the guarded functions look across tenants. Nothing is remembered from one statement to the next, so that
a change is seen by the first question that comes after it, in every process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Generic, NamedTuple, TypeAlias, TypeVar
from uuid import UUID

import asyncpg
import msgspec

from billwright.features.catalog.model import LimitPolicy
from billwright.features.entitlements.model import AccountDecision, Decision
from billwright.features.entitlements.rules.answer import (
    Ground,
    PoolNow,
    decision_now,
    places_of,
)
from billwright.features.entitlements.rules.standing import level_of
from billwright.kernel.ids import TenantId
from billwright.runtime.db.database import Database, Fetch

# A statement of this size takes few milliseconds, so that none waits long behind it.
_MOST_AT_ONCE = 500

Asked = TypeVar("Asked")
Answered = TypeVar("Answered")
_Waiting: TypeAlias = "tuple[Asked, asyncio.Future[Answered]]"
Value = TypeVar("Value")


class SubscriptionAsked(NamedTuple):
    """What does this subscription of the tenant give?"""

    tenant_id: TenantId
    subscription_id: UUID


class FeaturesAsked(msgspec.Struct, frozen=True, gc=False):
    """What was decided of these features for an account of the tenant, which is named by its id or by
    the platform's, or for one subscription of it?
    """

    tenant_id: TenantId
    account_id: UUID | None
    external_id: str | None
    subscription_id: UUID | None
    features: Sequence[str]


class Access(msgspec.Struct, frozen=True, gc=False):
    """What a subscription gives; `level` is one of `AccessLevel`. Without features, that has to be
    computed anew.
    """

    account_id: UUID
    version: int
    level: str
    features: tuple[Decision, ...] | None


class Found(msgspec.Struct, frozen=True, gc=False):
    """What was decided of one feature, and how its pools stand; none where they have to be settled."""

    decision: AccountDecision | Decision | None
    pools: Sequence[PoolNow] | None


class Kept(msgspec.Struct, frozen=True, gc=False):
    """What is kept of an account: of each feature that was asked about. Without an account there is none
    of that name; without a ground, what the account has is to be computed anew.
    """

    account_id: UUID | None
    ground: Ground | None
    features: list[Found]


class _Together(Generic[Asked, Answered]):
    """Questions of one kind, one statement for all that wait; as long as any wait, on one connection."""

    def __init__(
        self,
        database: Database,
        answer: Callable[[Fetch, list[Asked]], Awaitable[list[Answered]]],
    ) -> None:
        self._database = database
        self._answer = answer
        self._waiting: list[_Waiting[Asked, Answered]] = []
        self._answering: asyncio.Task[None] | None = None

    def ask(self, asked: Asked) -> asyncio.Future[Answered]:
        answer: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, answer))
        if self._answering is None:
            # The task begins when the loop comes round, after whatever else this turn brings.
            self._answering = asyncio.create_task(self._answer_all())
        return answer

    async def _answer_all(self) -> None:
        try:
            while self._waiting:
                await self._answer_on_one_connection()
        finally:
            self._answering = None

    async def _answer_on_one_connection(self) -> None:
        """Until none waits, or the connection fails."""
        told: list[_Waiting[Asked, Answered]] = []
        try:
            async with self._database.looking_across() as fetch:
                while self._waiting:
                    told, self._waiting = (
                        self._waiting[:_MOST_AT_ONCE],
                        self._waiting[_MOST_AT_ONCE:],
                    )
                    answers = await self._answer(fetch, [one for one, _ in told])
                    for (_, answer), answered in zip(told, answers, strict=True):
                        if not answer.done():
                            answer.set_result(answered)
        except Exception as error:  # noqa: BLE001 - each of those who asked is told
            if not told:  # there was no connection for any of them
                told, self._waiting = self._waiting, []
            for _, answer in told:
                if not answer.done():
                    answer.set_exception(error)


class PointReads:
    """The access questions of one process, in one event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._accesses = _Together(database, self._read_accesses)
        self._kept = _Together(database, self._read_kept)

    async def access_of(self, asked: SubscriptionAsked) -> Access | None:
        """What a subscription gives; none when it gives nothing or does not exist."""
        return await self._accesses.ask(asked)

    async def kept_of(self, asked: FeaturesAsked) -> Kept:
        """What is kept of an account, asked together with whatever else waits."""
        return await self._kept.ask(asked)

    async def kept_of_all(self, asked: Sequence[FeaturesAsked]) -> list[Kept]:
        """Likewise of many, in a statement of their own."""
        return await self._read_kept(self._database.unscoped, asked)

    async def _read_kept(self, fetch: Fetch, asked: Sequence[FeaturesAsked]) -> list[Kept]:
        codes, firsts, lasts = _places_of_codes(asked)
        rows = await fetch(
            """select place, account_id, version, valid_until, account_now, decision, pools
               from check_entitlements($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::int[],
                                       $6::int[], $7::text[], $8)""",
            [one.tenant_id for one in asked],
            [one.account_id for one in asked],
            _unless_none([one.external_id for one in asked]),
            _unless_none([one.subscription_id for one in asked]),
            firsts,
            lasts,
            codes,
            self._database.clock.now(),
        )
        kept: list[Kept] = []
        for place, account_id, version, valid_until, now, decision, pools in rows:
            if place > len(kept):
                ground = None if version is None else Ground(version, now, valid_until)
                kept.append(Kept(account_id, ground, []))
            is_whole = asked[place - 1].subscription_id is None
            kept[-1].features.append(_found(decision, pools=pools, is_whole=is_whole))
        return kept

    async def _read_accesses(
        self, fetch: Fetch, asked: Sequence[SubscriptionAsked]
    ) -> list[Access | None]:
        rows = await fetch(
            """select place, account_id, version, access, features, pools
               from read_entitlements($1::uuid[], $2::uuid[], $3)""",
            [tenant_id for tenant_id, _ in asked],
            [subscription_id for _, subscription_id in asked],
            self._database.clock.now(),
        )
        found = {row["place"]: row for row in rows}
        return [
            _access_from_row(found[place]) if place in found else None
            for place in range(1, len(asked) + 1)
        ]


def _places_of_codes(
    asked: Sequence[FeaturesAsked],
) -> tuple[list[str], list[int] | None, list[int] | None]:
    """All codes, and from which to which each question has them; none where each has one."""
    if all(len(one.features) == 1 for one in asked):
        return [one.features[0] for one in asked], None, None
    codes: list[str] = []
    places: dict[int, tuple[int, int]] = {}
    for one in asked:
        # Whoever asks about many accounts asks about the same features.
        if id(one.features) not in places:
            places[id(one.features)] = len(codes) + 1, len(codes) + len(one.features)
            codes += one.features
    of_each = [places[id(one.features)] for one in asked]
    return codes, [first for first, _ in of_each], [last for _, last in of_each]


def _unless_none(values: list[Value | None]) -> list[Value | None] | None:
    """Every value of an array is looked at before it is sent: nothing is said of what nobody names."""
    return values if any(value is not None for value in values) else None


class _PoolRow(msgspec.Struct, array_like=True, gc=False):
    """A pool as the guarded functions tell of it; without `used`, it has to be settled."""

    feature: str
    policy: LimitPolicy
    soft_cap: Decimal | None
    available: Decimal | None
    used_before: Decimal
    overage_before: Decimal
    used: Decimal | None
    reserved: Decimal
    valid_until: datetime | None
    resets_at: datetime | None


_account_decision = msgspec.json.Decoder(AccountDecision).decode
_decision = msgspec.json.Decoder(Decision).decode
_decisions = msgspec.json.Decoder(tuple[Decision, ...]).decode
_pool_rows = msgspec.json.Decoder(list[_PoolRow]).decode
_pool_rows_of_features = msgspec.json.Decoder(list[list[_PoolRow]]).decode
_UNDECIDED = Found(None, ())


def _found(decision: str | None, *, pools: str | None, is_whole: bool) -> Found:
    if decision is None:
        return _UNDECIDED
    decided = _account_decision(decision) if is_whole else _decision(decision)
    places = places_of(decided)
    if not places:
        return Found(decided, ())
    rows = _pool_rows(pools) if pools is not None else ()
    standing = [pool for pool in map(_pool_from_row, rows) if pool is not None]
    return Found(decided, standing if len(standing) == len(places) else None)


def _access_from_row(row: asyncpg.Record) -> Access:
    _, account_id, version, access, features, pools = row
    if features is None:
        return Access(account_id, 0, "", None)
    decisions = _decisions(features)
    rows = _pool_rows_of_features(pools) if pools is not None else ()
    standing = {one.feature: _pool_from_row(one) for each in rows for one in each}
    if any(one.pool is not None and standing.get(one.feature) is None for one in decisions):
        return Access(account_id, version, access, None)
    now = tuple(decision_now(one, standing.get(one.feature)) for one in decisions)
    return Access(account_id, version, access, now)


def _pool_from_row(row: _PoolRow) -> PoolNow | None:
    if row.used is None:
        return None
    level = level_of(
        available=row.available,
        used_before=row.used_before,
        overage_before=row.overage_before,
        used_of_segment=row.used,
        reserved=row.reserved,
    )
    return PoolNow(level, row.policy, row.soft_cap, row.resets_at, row.valid_until)
