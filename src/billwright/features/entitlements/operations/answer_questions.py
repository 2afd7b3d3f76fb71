"""What may an account use, when what is kept of that may be out of date?"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from billwright.features.entitlements.model import (
    AccessLevel,
    AccountDecision,
    Answer,
    Decided,
    Decision,
    Given,
    Question,
)
from billwright.features.entitlements.operations.fresh_snapshot import fresh_snapshot
from billwright.features.entitlements.operations.settle_pools import current_pools
from billwright.features.entitlements.rules.answer import (
    Ground,
    answer_to,
    decision_now,
    places_of,
    pool_now,
)
from billwright.features.entitlements.rules.pool import PoolKey
from billwright.features.entitlements.sql.reads_reservations import account_now
from billwright.runtime.db.tx import Tx

_decided_from_json = msgspec.json.Decoder(Decided).decode
_NOTHING_GIVEN = Given(AccessLevel.REVOKED, ())


async def answer_questions(tx: Tx, questions: Sequence[Question]) -> list[Answer]:
    """The answers to questions that are all about one account, by its own time. What it has is computed
    anew and its pools are settled where that is needed.

    Refuses: `account_unknown`.
    """
    (account_id,) = {one.account_id for one in questions}
    snapshot = await fresh_snapshot(tx, account_id)
    decided = _decided_from_json(snapshot.decisions)
    now = await account_now(tx, account_id)
    ground = Ground(snapshot.version, now, snapshot.valid_until)
    decisions = [_decision_about(one, decided) for one in questions]
    keys = [
        [PoolKey(account_id, question.feature, place) for place in places_of(decision)]
        for question, decision in zip(questions, decisions, strict=True)
    ]
    pools = await current_pools(tx, {key for each in keys for key in each}, now=now)
    return [
        answer_to(
            question,
            decision=decision,
            pools=[pool_now(pools[key]) for key in each if key in pools],
            ground=ground,
        )
        for question, decision, each in zip(questions, decisions, keys, strict=True)
    ]


async def given_now(tx: Tx, account_id: UUID, *, subscription_id: UUID) -> tuple[int, Given]:
    """What a subscription of the account gives, with how its pools stand; likewise. The number is the
    version of what the account has.

    Refuses: `account_unknown`.
    """
    snapshot = await fresh_snapshot(tx, account_id)
    decided = _decided_from_json(snapshot.decisions)
    given = decided.subscriptions.get(subscription_id, _NOTHING_GIVEN)
    keys = {
        one.feature: PoolKey(account_id, one.feature, one.pool.subscription_id)
        for one in given.features
        if one.pool is not None
    }
    pools = await current_pools(tx, keys.values(), now=await account_now(tx, account_id))
    standing = {code: pool_now(pools[key]) for code, key in keys.items() if key in pools}
    features = tuple(decision_now(one, standing.get(one.feature)) for one in given.features)
    return snapshot.version, Given(given.access, features)


def _decision_about(question: Question, decided: Decided) -> AccountDecision | Decision | None:
    if question.subscription_id is None:
        return decided.features.get(question.feature)
    given = decided.subscriptions.get(question.subscription_id, _NOTHING_GIVEN)
    return next((one for one in given.features if one.feature == question.feature), None)
