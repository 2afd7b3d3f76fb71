"""What does an account have of its features, and why?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from billwright.features.catalog.model import FeatureKind
from billwright.features.catalog.sql.reads_features import feature_by_code
from billwright.features.entitlements.model import Answer, Question
from billwright.features.entitlements.operations.answer_questions import answer_questions
from billwright.features.entitlements.operations.gather_holdings import gather_holdings
from billwright.features.entitlements.rules.decide import Holdings, decide
from billwright.features.entitlements.rules.explain import ExplainedSource, explain
from billwright.features.entitlements.sql.reads_reservations import account_now
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedEntitlement:
    """What an account may use of a feature now, by which sources."""

    kind: FeatureKind
    answer: Answer
    sources: Sequence[ExplainedSource]


async def explain_entitlements(
    tx: Tx, account_id: UUID, *, after: str | None, limit: int
) -> list[ExplainedEntitlement]:
    """What an account has of each feature that anything gives it, in the order of the codes and beyond
    `after`.

    Refuses: `account_unknown`.
    """
    holdings = await _holdings_now(tx, account_id)
    decided, _ = decide(holdings)
    codes = [code for code in decided.features if after is None or code > after][:limit]
    kinds = {code: decided.features[code].kind for code in codes}
    return await _explained(tx, holdings, kinds=kinds) if codes else []


async def explain_entitlement(
    tx: Tx, account_id: UUID, *, feature_code: str
) -> ExplainedEntitlement:
    """What an account has of one feature, also where nothing gives it.

    Refuses: `account_unknown`, `feature_unknown`.
    """
    holdings = await _holdings_now(tx, account_id)
    feature = await feature_by_code(tx, feature_code)
    (explained,) = await _explained(tx, holdings, kinds={feature.code: feature.kind})
    return explained


async def _holdings_now(tx: Tx, account_id: UUID) -> Holdings:
    now = await account_now(tx, account_id)
    (gathered,) = await gather_holdings(tx, [account_id], at=now)
    return gathered.holdings


async def _explained(
    tx: Tx, holdings: Holdings, *, kinds: Mapping[str, FeatureKind]
) -> list[ExplainedEntitlement]:
    questions = [Question(account_id=holdings.account_id, feature=code) for code in kinds]
    answers = await answer_questions(tx, questions)
    sources = explain(holdings, kinds)
    return [
        ExplainedEntitlement(
            kind=kinds[answer.feature], answer=answer, sources=sources[answer.feature]
        )
        for answer in answers
    ]
