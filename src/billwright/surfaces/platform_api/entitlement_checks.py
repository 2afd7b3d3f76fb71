"""May this account use so much more of that feature, right now?

The platform asks before it does anything, so that this route leaves out what the framework does for the
others. One question waits for a statement together with all that come in meanwhile; many questions of
one request are a statement of their own.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from billwright.features.accounts.errors import account_unknown
from billwright.features.entitlements.model import Answer, Question
from billwright.features.entitlements.operations.answer_questions import answer_questions
from billwright.features.entitlements.rules.answer import answer_to
from billwright.features.entitlements.sql.point_reads import FeaturesAsked, Found, Kept
from billwright.features.identity.model import Group, Right
from billwright.features.identity.rules.scopes import scope_for
from billwright.kernel.quick import quickly_made
from billwright.kernel.refusal import Refusal
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.access_reads import AccessReads, access_reads
from billwright.surfaces.platform_api.caller import Authorized, authorize, credentials_of
from billwright.surfaces.platform_api.entitlement_checks_models import (
    AMOUNT_PATTERN,
    CHECK_EXAMPLE,
    CODE_PATTERN,
    EntitlementAnswer,
    EntitlementAnswers,
    EntitlementCheckInput,
    EntitlementChecksInput,
    to_response,
    unknown_account,
)
from billwright.surfaces.web.hot_routes import JsonAnswer
from billwright.surfaces.web.openapi import HotOperation, HotRoute, header_reference
from billwright.surfaces.web.structs import read_body, refused, whole_body

_SCOPE = scope_for(Group.ENTITLEMENTS, Right.READ)
_DESCRIPTION = """\
One question, or each of up to 100 features for each of up to 100 accounts. A feature that nobody knows is
not an error: nothing gives it (`not_entitled`), as is the case with a subscription that is not the
account's. An account that nobody knows is refused when it is the only one; among many it is an answer.

The answer is that of the moment: plans, overrides, grants, payments and usage count as soon as the
request that told of them is answered. Nothing is taken: whoever must not overspend reserves instead.
"""


class _Shape(msgspec.Struct):
    """Which of the two forms a body has: only that of many questions has `features`."""

    features: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_SHAPE = msgspec.json.Decoder(_Shape)
_ONE = msgspec.json.Decoder(EntitlementCheckInput)
_MANY = msgspec.json.Decoder(EntitlementChecksInput)
_encode = msgspec.json.Encoder().encode

_code_like = lru_cache(maxsize=1024)(re.compile(CODE_PATTERN[1:-1], re.ASCII).fullmatch)
_amount_like = re.compile(AMOUNT_PATTERN[1:-1], re.ASCII).fullmatch
_SINGLE = Decimal(1)
_CONTROL = re.compile(r"[\x00-\x1f\ud800-\udfff]")


async def check_entitlements(request: Request) -> Response:
    reader = await authorize(request, credentials_of(request), scope=_SCOPE)
    text = await whole_body(request)
    desk = _Desk(reader, access_reads(request))
    if b'"features"' in text and read_body(_SHAPE, text).features is not msgspec.UNSET:
        answers = await desk.answers(read_body(_MANY, text))
        return JsonAnswer(_encode(EntitlementAnswers(answers)))
    answer = await desk.answer(read_body(_ONE, text))
    return JsonAnswer(_encode(answer))


@quickly_made
@dataclass(frozen=True, slots=True)
class _Desk:
    """Where one caller's questions are answered."""

    reader: Authorized
    reads: AccessReads

    async def answer(self, body: EntitlementCheckInput) -> EntitlementAnswer:
        """Refuses: `request_invalid`, `account_unknown`."""
        amount = _amount(body.amount)
        if (body.account_id is None) is (body.external_id is None):
            raise _one_of_two("account_id and external_id")
        _refuse_malformed(body.feature, pointer="/feature")
        if body.external_id is not None:
            _refuse_control_characters(body.external_id, pointer="/external_id")
        asked = FeaturesAsked(
            self.reader.caller.tenant_id,
            body.account_id,
            body.external_id,
            body.subscription_id,
            (body.feature,),
        )
        kept = await self.reads.point.kept_of(asked)
        if kept.account_id is None:
            raise account_unknown(account_id=body.external_id)
        question = Question(
            account_id=kept.account_id,
            feature=body.feature,
            amount=amount,
            subscription_id=body.subscription_id,
        )
        answer = _answer_from(question, kept=kept, found=kept.features[0])
        if answer is None:
            (answer,) = await self._computed_anew([question])
        return to_response(
            answer, external_id=body.external_id, subscription_id=body.subscription_id
        )

    async def answers(self, body: EntitlementChecksInput) -> list[EntitlementAnswer]:
        """Refuses: `request_invalid`."""
        amount = _amount(body.amount)
        names = _names(body)
        for number, code in enumerate(body.features):
            _refuse_malformed(code, pointer=f"/features/{number}")
        tenant_id, codes = self.reader.caller.tenant_id, body.features
        now = self.reader.wiring.database.clock.now()
        kept = await self.reads.point.kept_of_all(
            [FeaturesAsked(tenant_id, *name, None, codes) for name in names]
        )
        told = await asyncio.gather(
            *(self._answers_about(one, codes=codes, amount=amount) for one in kept)
        )
        return [
            answer
            for (account_id, external_id), answers in zip(names, told, strict=True)
            for answer in (
                [to_response(one, external_id=external_id) for one in answers]
                if answers is not None
                else [
                    unknown_account(code, account_id=account_id, external_id=external_id, now=now)
                    for code in codes
                ]
            )
        ]

    async def _answers_about(
        self, kept: Kept, *, codes: Sequence[str], amount: Decimal
    ) -> list[Answer] | None:
        """The answers about one account; none when nobody knows it."""
        account_id = kept.account_id
        if account_id is None:
            return None
        questions = [Question(account_id=account_id, feature=code, amount=amount) for code in codes]
        answers = [
            _answer_from(question, kept=kept, found=found)
            for question, found in zip(questions, kept.features, strict=True)
        ]
        known = [one for one in answers if one is not None]
        if len(known) == len(questions):
            return known
        try:
            return await self._computed_anew(questions)
        except Refusal as refusal:
            if refusal.code == account_unknown.code:
                return None
            raise

    async def _computed_anew(self, questions: Sequence[Question]) -> list[Answer]:
        """Refuses: `account_unknown`."""
        async with self.reads.settling, self.reader.tx() as tx:
            return await answer_questions(tx, questions)


def _names(body: EntitlementChecksInput) -> list[tuple[UUID | None, str | None]]:
    match body.account_ids, body.external_ids:
        case list(account_ids), None:
            return [(one, None) for one in account_ids]
        case None, list(external_ids):
            for number, external_id in enumerate(external_ids):
                _refuse_control_characters(external_id, pointer=f"/external_ids/{number}")
            return [(None, one) for one in external_ids]
        case _:
            raise _one_of_two("account_ids and external_ids")


def _answer_from(question: Question, *, kept: Kept, found: Found) -> Answer | None:
    """None where something has to be computed anew."""
    if kept.ground is None or found.pools is None:
        return None
    return answer_to(question, decision=found.decision, pools=found.pools, ground=kept.ground)


def _amount(text: str) -> Decimal:
    if text == "1":
        return _SINGLE
    if _amount_like(text) is None:
        raise refused("/amount", code="malformed", detail=f"Must be of the form {AMOUNT_PATTERN}")
    amount = Decimal(text)
    if not amount:
        raise refused("/amount", code="out_of_range", detail="Must be more than 0.")
    return amount


def _one_of_two(names: str) -> Refusal:
    return refused("", code="one_of_two", detail=f"Exactly one of {names} must be given.")


def _refuse_malformed(code: str, *, pointer: str) -> None:
    if _code_like(code) is None:
        raise refused(pointer, code="malformed", detail=f"Must be of the form {CODE_PATTERN}")


def _refuse_control_characters(text: str, *, pointer: str) -> None:
    if _CONTROL.search(text):
        raise refused(
            pointer, code="control_character", detail="Must not contain control characters."
        )


def checks_route() -> HotRoute:
    """The route, to be put before those that are matched one by one."""
    return HotRoute(
        "/entitlements/check",
        check_entitlements,
        method="POST",
        operation=HotOperation(
            operation_id="check_entitlements",
            summary="Check access",
            description=_DESCRIPTION,
            tags=["entitlements"],
            request=(EntitlementCheckInput, EntitlementChecksInput),
            example=CHECK_EXAMPLE,
            response=(EntitlementAnswer, EntitlementAnswers),
            parameters=[header_reference("X-Tenant")],
            scope=_SCOPE,
            refusals=refusals.of_previewing(account_unknown),
        ),
    )
