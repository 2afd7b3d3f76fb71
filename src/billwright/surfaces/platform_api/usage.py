"""How does a platform tell what was used?

Events come by the thousand, so that this route leaves out what the framework does for the others: the
body is read in one pass, and the answer is written in one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from billwright.features.identity.model import Group, Right
from billwright.features.identity.rules.scopes import scope_for
from billwright.features.subscriptions.errors import (
    usage_subject_ambiguous,
    usage_subject_unknown,
)
from billwright.features.subscriptions.model import UsageSubject
from billwright.features.subscriptions.sql.reads_usage import usage_places
from billwright.features.usage.errors import (
    usage_cancellation_final,
    usage_event_corrected,
    usage_event_differs,
    usage_event_unknown,
    usage_quantity_invalid,
)
from billwright.features.usage.model import NewUsage
from billwright.features.usage.operations.correct_usage import correct_usage, corrected_by
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Writer, authorize, credentials_of
from billwright.surfaces.platform_api.usage_forms import refuse_malformed, subject_of
from billwright.surfaces.platform_api.usage_intake import ToldUsage, UsageIntake, record_told
from billwright.surfaces.platform_api.usage_models import (
    USAGE_EXAMPLE,
    CorrectionsInput,
    RecordedCorrection,
    RecordedCorrections,
    RecordedUsage,
    RecordedUsageEvent,
    UsageBatchInput,
    UsageEventInput,
    from_correction,
)
from billwright.surfaces.web.hot_routes import JsonAnswer
from billwright.surfaces.web.idempotency import Idempotent, named_request, once
from billwright.surfaces.web.openapi import HotOperation, HotRoute, header_reference
from billwright.surfaces.web.structs import header_of, read_body, whole_body

router = APIRouter(tags=["usage"])

_SCOPE = scope_for(Group.USAGE, Right.WRITE)
_DECODER = msgspec.json.Decoder(UsageBatchInput)
_encode = msgspec.json.Encoder().encode
_DESCRIPTION = """\
Up to 1,000 events, all of them or none. An event is recorded once however often it is told; one that was
recorded with other values is refused and named, and nothing of the request is recorded. Events may be
of any of the tenant's subscriptions and of any time: what was billed without them is counted again a day
later, and the difference comes on the next invoice.
"""


async def record_usage(request: Request) -> Response:
    writer = await authorize(request, credentials_of(request), scope=_SCOPE)
    key = header_of(request, b"idempotency-key")
    text = await whole_body(request)
    body = read_body(_DECODER, text)
    refuse_malformed(body.events, text=text)
    told = _told(body.events)
    if key is None:
        recorded = await _intake(request).record(writer, told)
        return JsonAnswer(_encode(_answer(body.events, recorded)))

    async def record(tx: Tx) -> bytes:
        return _encode(_answer(body.events, await record_told(tx, told)))

    named = await named_request(request, key, status=200, body=text)
    return await once(writer.tx(), named, work=record)


def _intake(request: Request) -> UsageIntake:
    state = request.app.state
    if not hasattr(state, "usage_intake"):
        state.usage_intake = UsageIntake()
    intake: UsageIntake = state.usage_intake
    return intake


def _told(events: Sequence[UsageEventInput]) -> ToldUsage:
    """What a request tells. Many events name the same subject or quantity, so that each text is read
    once.

    Refuses: `request_invalid`.
    """
    quantities: dict[str, Decimal] = {}
    known: dict[tuple[str | None, ...], UsageSubject] = {}
    subjects: dict[UsageSubject, int] = {}
    told: list[tuple[UsageSubject, NewUsage]] = []
    for number, event in enumerate(events):
        given = (event.subscription_id, event.account_id, event.subject)
        subject = known.get(given)
        if subject is None:
            subject = known[given] = subject_of(event, pointer=f"/events/{number}")
            subjects.setdefault(subject, number)  # a UUID has several texts
        quantity = quantities.get(event.quantity)
        if quantity is None:
            quantity = quantities[event.quantity] = Decimal(event.quantity)
        one = NewUsage(
            source=event.source,
            event_id=event.id,
            meter=event.type,
            quantity=quantity,
            occurred_at=event.time,
            properties=event.properties,
        )
        told.append((subject, one))
    return ToldUsage(subjects, told)


def _answer(
    events: Sequence[UsageEventInput], recorded: Collection[tuple[str, str]]
) -> RecordedUsage:
    """Of an event that a request tells twice, the first is the one that was recorded."""
    if len(recorded) == len(events):
        told = [RecordedUsageEvent(one.source, one.id, status="recorded") for one in events]
        return RecordedUsage(recorded=len(told), repeated=0, events=told)
    new = set(recorded)
    told = []
    for event in events:
        name = event.source, event.id
        told.append(RecordedUsageEvent(*name, status="recorded" if name in new else "repeated"))
        new.discard(name)
    return RecordedUsage(recorded=len(recorded), repeated=len(events) - len(recorded), events=told)


def usage_route() -> HotRoute:
    """The route, to be put before those that are matched one by one."""
    return HotRoute(
        "/usage",
        record_usage,
        method="POST",
        operation=HotOperation(
            operation_id="record_usage",
            summary="Record usage",
            description=_DESCRIPTION,
            tags=["usage"],
            request=UsageBatchInput,
            example=USAGE_EXAMPLE,
            response=RecordedUsage,
            parameters=[header_reference("X-Tenant"), header_reference("Idempotency-Key")],
            scope=_SCOPE,
            refusals=refusals.of_writing(
                usage_event_differs, usage_subject_unknown, usage_subject_ambiguous
            ),
        ),
    )


@router.post(
    "/usage/corrections",
    response_model=RecordedCorrections,
    summary="Correct usage",
    responses=refusals.of_writing(
        usage_event_unknown,
        usage_event_corrected,
        usage_event_differs,
        usage_cancellation_final,
        usage_quantity_invalid,
    ),
)
async def create_usage_corrections(
    writer: Writer, body: CorrectionsInput, idempotent: Idempotent
) -> Response:
    """Events never change: a correction is another event, which takes one away (`cancel`) or its place
    (`replace`), all of a request or none. An event is corrected once; what took its place may be
    corrected in turn. What was billed is counted again a day later.
    """

    async def correct(tx: Tx) -> RecordedCorrections:
        corrections = [from_correction(one) for one in body.corrections]
        corrected = await corrected_by(tx, corrections)
        places = await usage_places(tx, {one.subscription_id for one in corrected.values()})
        recorded = await correct_usage(tx, corrections, corrected=corrected, places=places)
        return RecordedCorrections(
            recorded=len(recorded),
            repeated=len(corrections) - len(recorded),
            corrections=[
                RecordedCorrection(
                    source=one.name.source,
                    id=one.name.event_id,
                    status="recorded" if one.name in recorded else "repeated",
                )
                for one in corrections
            ],
        )

    return await once(writer.tx(), idempotent, work=correct)
