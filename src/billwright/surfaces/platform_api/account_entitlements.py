"""What may a customer use, and why?"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from billwright.features.accounts.errors import account_unknown
from billwright.features.catalog.errors import feature_unknown
from billwright.features.catalog.model import FeatureKind
from billwright.features.entitlements import model
from billwright.features.entitlements.operations.explain_entitlements import (
    ExplainedEntitlement,
    explain_entitlement,
    explain_entitlements,
)
from billwright.features.entitlements.rules.explain import ExplainedSource
from billwright.surfaces.platform_api import features_words as words
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Reader
from billwright.surfaces.platform_api.features_models import Definition, to_definition
from billwright.surfaces.platform_api.fields import Quantity
from billwright.surfaces.web.pages import Listing, Page, PageParameters
from billwright.surfaces.web.wire import Instant, ResponseModel

router = APIRouter(prefix="/accounts/{account_id}/entitlements", tags=["entitlements"])

_LISTING = Listing("account_entitlements", tuple[str])


class EntitlementSource(ResponseModel):
    """Something that gives a feature, or would if nothing came before it."""

    kind: Annotated[
        model.SourceKind,
        Field(
            description="From what comes first to what comes last: `account_override`, "
            "`subscription_override`, `add_on`, `plan`, `default`; and grants of `metered` features."
        ),
    ]
    subscription_id: Annotated[
        UUID | None, Field(description="Whose it is; null is all of the account's.")
    ]
    add_on: Annotated[str | None, Field(description="The add-on's code, of an `add_on`.")]
    override_id: Annotated[UUID | None, Field(description="The override behind it.")]
    definition: Annotated[
        Definition | None,
        Field(
            description="What it gives, of an add-on with all its units. Null of grants, which are "
            "listed with their amounts at `entitlement-grants`."
        ),
    ]
    ends_at: Annotated[
        Instant | None, Field(description="When an override or a grant ends; else null.")
    ]
    counts: Annotated[
        bool,
        Field(
            description="Whether the answer rests on it. Not where something comes before it; what "
            "several sources give of a `metered` feature counts together, as does what several "
            "subscriptions give of another, where the best is taken."
        ),
    ]
    withheld: Annotated[
        bool, Field(description="Whether a missing payment withholds what it gives.")
    ]


class AccountEntitlement(ResponseModel):
    """What an account may use of a feature at this moment, and by which sources."""

    feature: str
    kind: Annotated[FeatureKind, Field(description=words.FEATURE_KIND)]
    allowed: Annotated[bool, Field(description="Whether it, or one more unit, may be used.")]
    reason: Annotated[
        model.DenialReason | None,
        Field(
            description="Why not: nothing gives it (`not_entitled`), a payment is missing "
            "(`payment_overdue`) or the limit is reached (`limit_reached`). Null where it may."
        ),
    ]
    value: Annotated[bool | int | str | None, Field(description="Of `static` features; else null.")]
    limit: Annotated[
        Quantity | None, Field(description="Of `metered` features, with grants; null is no limit.")
    ]
    used: Annotated[Quantity | None, Field(description="Of `metered` features, since the reset.")]
    overage: Annotated[
        Quantity | None, Field(description="How much of that was used beyond the limit.")
    ]
    remaining: Annotated[
        Quantity | None, Field(description="Beside what is reserved; null without a limit.")
    ]
    resets_at: Annotated[Instant | None, Field(description="When the count starts anew.")]
    sources: Annotated[
        list[EntitlementSource], Field(description="In the order of precedence; grants last.")
    ]
    state_version: Annotated[
        int, Field(description="Grows whenever what the account has is computed anew.")
    ]
    as_of: Annotated[Instant, Field(description="The account's own time of this answer.")]
    stale_after: Annotated[Instant, Field(description="From then on it should be asked for again.")]


@router.get(
    "",
    summary="List what an account is entitled to",
    responses=refusals.of_listing(account_unknown),
)
async def list_account_entitlements(
    reader: Reader, account_id: UUID, page: PageParameters
) -> Page[AccountEntitlement]:
    """Every feature that anything gives the account, in the order of their codes. A pool for each
    subscription answers with the one that has most left.
    """
    filters = {"account_id": account_id}
    after = _LISTING.after(page, filters=filters)
    async with reader.tx() as tx:
        explained = await explain_entitlements(
            tx, account_id, after=after[0] if after else None, limit=page.limit + 1
        )
    return _LISTING.page(
        explained,
        page,
        filters=filters,
        key=lambda one: (one.answer.feature,),
        to_response=to_response,
    )


@router.get(
    "/{feature_code}",
    summary="Get what an account is entitled to of a feature",
    responses=refusals.of_reading(account_unknown, feature_unknown),
)
async def get_account_entitlement(
    reader: Reader, account_id: UUID, feature_code: str
) -> AccountEntitlement:
    """Also of one that nothing gives it: then it has no sources that count."""
    async with reader.tx() as tx:
        return to_response(await explain_entitlement(tx, account_id, feature_code=feature_code))


def to_response(explained: ExplainedEntitlement) -> AccountEntitlement:
    answer = explained.answer
    return AccountEntitlement(
        feature=answer.feature,
        kind=explained.kind,
        allowed=answer.allowed,
        reason=answer.reason,
        value=answer.value,
        limit=answer.limit,
        used=answer.used,
        overage=answer.overage,
        remaining=answer.remaining,
        resets_at=answer.resets_at,
        sources=[_to_source(one) for one in explained.sources],
        state_version=answer.state_version,
        as_of=answer.as_of,
        stale_after=answer.stale_after,
    )


def _to_source(source: ExplainedSource) -> EntitlementSource:
    return EntitlementSource(
        kind=source.kind,
        subscription_id=source.subscription_id,
        add_on=source.add_on,
        override_id=source.override_id,
        definition=None if source.definition is None else to_definition(source.definition),
        ends_at=source.ends_at,
        counts=source.counts,
        withheld=source.withheld,
    )
