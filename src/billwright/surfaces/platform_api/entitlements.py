"""May this subscription use that feature, right now?

The platform asks on every request of its own, so that this route leaves out what the framework does
for the others.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from billwright.features.catalog.model import FeatureKind
from billwright.features.entitlements.model import AccessLevel, Decision, DenialReason
from billwright.features.entitlements.operations.answer_questions import given_now
from billwright.features.entitlements.sql.point_reads import SubscriptionAsked
from billwright.features.entitlements.sql.reads import snapshot_version
from billwright.features.identity.model import Group, Right
from billwright.features.identity.rules.scopes import scope_for
from billwright.features.subscriptions.errors import subscription_unknown
from billwright.features.subscriptions.sql.reads import account_of
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.access_reads import access_reads
from billwright.surfaces.platform_api.caller import Authorized, authorize, credentials_of
from billwright.surfaces.web.errors import request_invalid
from billwright.surfaces.web.hot_routes import JsonAnswer
from billwright.surfaces.web.openapi import HotOperation, HotRoute, header_reference
from billwright.surfaces.web.problems import refusal_response

_SCOPE = scope_for(Group.ENTITLEMENTS, Right.READ)
_NO_UUID = [
    {
        "in": "path",
        "parameter": "subscription_id",
        "code": "malformed",
        "detail": "Must be a UUID.",
    }
]
_DESCRIPTION = """\
What the subscription allows at this moment, feature by feature; a subscription that has ended allows
nothing, and its list is empty. A payment that is missing may restrict what the plan gives: values and
limits stay to be seen. A change is visible as soon as the request that made it is answered; so is what
was used.
"""

_encode = msgspec.json.Encoder().encode
_LEVELS = {level.value: level for level in AccessLevel}  # a lookup takes a tenth of a call's time

_Quantity = Annotated[str, msgspec.Meta(extra_json_schema={"examples": ["1000"]})]


class EntitlementDecision(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """What a subscription gives of one feature."""

    feature: Annotated[str, msgspec.Meta(description="The feature's code.")]
    kind: FeatureKind
    allowed: Annotated[bool, msgspec.Meta(description="Whether it may be used now.")]
    reason: Annotated[
        DenialReason | None,
        msgspec.Meta(description="Why it may not be used although something gives it; else null."),
    ]
    value: Annotated[
        bool | int | str | None, msgspec.Meta(description="Of `static` features; else null.")
    ]
    limit: Annotated[
        _Quantity | None,
        msgspec.Meta(
            description="Of `metered` features, with what grants have left; null is no limit."
        ),
    ]
    used: Annotated[_Quantity | None, msgspec.Meta(description="Since the count began.")]
    remaining: Annotated[
        _Quantity | None,
        msgspec.Meta(
            description="What may be used beside all that is reserved; null without a limit."
        ),
    ]
    resets_at: Annotated[
        datetime | None, msgspec.Meta(description="When the count starts anew, UTC.")
    ]


class Entitlements(msgspec.Struct, forbid_unknown_fields=True):
    """What a subscription gives."""

    subscription_id: UUID
    account_id: UUID
    version: Annotated[
        int,
        msgspec.Meta(description="Grows whenever the access of the account is computed anew."),
    ]
    access: Annotated[
        AccessLevel,
        msgspec.Meta(
            description="What missing payments leave: all of it (`full`), all but some features "
            "(`degraded`), nothing more to be consumed (`read_only`: metered features are withheld, "
            "and the platform lets nothing be changed), or nothing (`revoked`, also when the "
            "subscription is paused, unpaid or has ended)."
        ),
    ]
    features: Annotated[
        list[EntitlementDecision], msgspec.Meta(description="In the order of their codes.")
    ]


async def get_entitlements(request: Request) -> Response:
    reader = await authorize(request, credentials_of(request), scope=_SCOPE)
    try:
        subscription_id = msgspec.convert(request.path_params["subscription_id"], UUID)
    except msgspec.ValidationError:
        return refusal_response(request_invalid(), parameters=_NO_UUID)
    reads = access_reads(request)
    access = await reads.point.access_of(
        SubscriptionAsked(reader.caller.tenant_id, subscription_id)
    )
    if access is None:
        answer = await _no_access(reader, subscription_id)
    elif access.features is None:
        # What is kept is computed anew.
        async with reads.settling, reader.tx() as tx:
            answer = await _computed_anew(tx, access.account_id, subscription_id=subscription_id)
    else:
        answer = Entitlements(
            subscription_id,
            access.account_id,
            access.version,
            _LEVELS[access.level],
            [_told(one) for one in access.features],
        )
    return JsonAnswer(_encode(answer))


def _told(decision: Decision) -> EntitlementDecision:
    return EntitlementDecision(
        decision.feature,
        decision.kind,
        decision.allowed,
        decision.reason,
        decision.value,
        decision.limit,
        decision.used,
        decision.remaining,
        decision.resets_at,
    )


async def _computed_anew(tx: Tx, account_id: UUID, *, subscription_id: UUID) -> Entitlements:
    version, given = await given_now(tx, account_id, subscription_id=subscription_id)
    features = [_told(one) for one in given.features]
    return Entitlements(subscription_id, account_id, version, given.access, features)


async def _no_access(reader: Authorized, subscription_id: UUID) -> Entitlements:
    """That of a subscription which gives nothing. Refuses: `subscription_unknown`."""
    async with reader.tx() as tx:
        account_id = await account_of(tx, subscription_id)
        version = await snapshot_version(tx, account_id)
    return Entitlements(subscription_id, account_id, version, AccessLevel.REVOKED, [])


def entitlements_route() -> HotRoute:
    """The route, to be put before those that are matched one by one."""
    return HotRoute(
        "/subscriptions/{subscription_id}/entitlements",
        get_entitlements,
        method="GET",
        operation=HotOperation(
            operation_id="get_entitlements",
            summary="Get what a subscription allows",
            description=_DESCRIPTION,
            tags=["entitlements"],
            response=Entitlements,
            parameters=[
                {
                    "name": "subscription_id",
                    "in": "path",
                    "required": True,
                    "schema": {"type": "string", "format": "uuid"},
                },
                header_reference("X-Tenant"),
            ],
            scope=_SCOPE,
            refusals=refusals.of_previewing(subscription_unknown),
        ),
    )
