"""May this subscription use that feature, right now?

The platform asks on every request of its own, so that this route leaves out what the framework does
for the others, and sends the text of the decisions as the database holds it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from billwright.features.catalog.model import FeatureKind
from billwright.features.entitlements.model import AccessLevel, DenialReason
from billwright.features.entitlements.sql.point_reads import Access, PointReads
from billwright.features.entitlements.sql.reads import snapshot_version
from billwright.features.identity.model import READ_ACCESS
from billwright.features.subscriptions.errors import subscription_unknown
from billwright.features.subscriptions.sql.reads import account_of
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Authorized, Credentials, authorize
from billwright.surfaces.web.errors import request_invalid
from billwright.surfaces.web.openapi import HotOperation, HotRoute, header_reference
from billwright.surfaces.web.problems import refusal_response

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
limits stay to be seen. A change is visible as soon as the request that made it is answered.
"""

_Quantity = Annotated[str, msgspec.Meta(extra_json_schema={"examples": ["1000"]})]


class EntitlementDecision(msgspec.Struct, forbid_unknown_fields=True):
    """What a subscription gives of one feature."""

    feature: Annotated[str, msgspec.Meta(description="The feature's code.")]
    kind: FeatureKind
    allowed: Annotated[bool, msgspec.Meta(description="Whether it may be used now.")]
    reason: Annotated[
        DenialReason | None,
        msgspec.Meta(description="Why it is withheld although the plan gives it; else null."),
    ]
    value: Annotated[
        bool | int | str | None, msgspec.Meta(description="Of `static` features; else null.")
    ]
    limit: Annotated[
        _Quantity | None,
        msgspec.Meta(description="Of `metered` features, per period; null is no limit."),
    ]
    used: Annotated[_Quantity | None, msgspec.Meta(description="In this period.")]
    remaining: Annotated[_Quantity | None, msgspec.Meta(description="Null without a limit.")]
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
    headers = request.headers
    credentials = Credentials(headers.get("authorization"), headers.get("x-tenant"))
    reader = await authorize(request, credentials, scope=READ_ACCESS)
    try:
        subscription_id = UUID(request.path_params["subscription_id"])
    except ValueError:
        return refusal_response(request_invalid(), parameters=_NO_UUID)
    access = await _point_reads(request).access_of(reader.caller.tenant_id, subscription_id)
    if access is None:
        access = await _no_access(reader, subscription_id)
    text = (
        f'{{"subscription_id":"{subscription_id}","account_id":"{access.account_id}",'
        f'"version":{access.version},"access":"{access.level}","features":{access.features}}}'
    )
    return Response(text, media_type="application/json")


def _point_reads(request: Request) -> PointReads:
    state = request.app.state
    if not hasattr(state, "point_reads"):
        state.point_reads = PointReads(state.wiring.database)
    reads: PointReads = state.point_reads
    return reads


async def _no_access(reader: Authorized, subscription_id: UUID) -> Access:
    """That of a subscription which gives nothing. Refuses: `subscription_unknown`."""
    async with reader.tx() as tx:
        account_id = await account_of(tx, subscription_id)
        return Access(account_id, await snapshot_version(tx, account_id), "[]", AccessLevel.REVOKED)


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
            refusals=refusals.of_reading(subscription_unknown),
        ),
    )
