"""What does an entitlement override look like in requests and answers?"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from billwright.features.catalog.model import FeatureKind
from billwright.features.entitlements import model
from billwright.features.entitlements.operations.create_override import CreateOverride
from billwright.surfaces.platform_api.features_models import (
    Definition,
    DefinitionInput,
    to_definition,
)
from billwright.surfaces.web.wire import (
    Code,
    Identifier,
    Instant,
    RequestModel,
    ResponseModel,
    Text,
)

_EXAMPLE: JsonDict = {
    "feature": "api_calls",
    "definition": {"value": "50000", "terms": {"limit_policy": "soft"}},
    "reason": "Agreed for the launch",
    "expires_at": "2027-01-01T00:00:00Z",
}


class EntitlementOverrideInput(RequestModel):
    """What an account, or one subscription of it, is to have of a feature instead of what its plans
    say.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    feature: Annotated[Code, Field(description="The feature's code.")]
    subscription_id: Annotated[
        Identifier | None,
        Field(
            description="For this subscription alone, in place of its plan and its add-ons; null is "
            "for the account, in place of all its subscriptions."
        ),
    ] = None
    definition: DefinitionInput
    reason: Annotated[Text, Field(description="Why; for whoever asks later.")]
    effective_at: Annotated[
        Instant | None,
        Field(description="From when on; not before now, by the account's own time. Null is now."),
    ] = None
    expires_at: Annotated[
        Instant | None,
        Field(description="Up to when, exclusive; after `effective_at`. Null is for good."),
    ] = None


class EntitlementOverride(ResponseModel):
    """What an account, or one subscription of it, has of a feature instead of what its plans say."""

    id: UUID
    account_id: UUID
    subscription_id: Annotated[UUID | None, Field(description="Null is all of the account.")]
    feature: str
    kind: FeatureKind
    definition: Definition
    reason: str
    effective_at: Annotated[Instant, Field(description="From when on.")]
    expires_at: Annotated[
        Instant | None, Field(description="Up to when it was asked for; null is for good.")
    ]
    ends_at: Annotated[
        Instant | None,
        Field(
            description="Up to when it holds, exclusive: until it expires, was superseded or removed. "
            "Where that is `effective_at`, it never did."
        ),
    ]
    superseded_by: Annotated[
        UUID | None, Field(description="The override that has taken its place.")
    ]
    removed_at: Annotated[Instant | None, Field(description="When somebody ended it.")]
    created_at: Instant


def from_request(body: EntitlementOverrideInput, account_id: UUID) -> CreateOverride:
    return CreateOverride(
        account_id=account_id,
        feature_code=body.feature,
        subscription_id=body.subscription_id,
        definition=body.definition.to_definition(),
        reason=body.reason,
        effective_at=body.effective_at,
        expires_at=body.expires_at,
    )


def to_response(override: model.Override) -> EntitlementOverride:
    return EntitlementOverride(
        id=override.id,
        account_id=override.account_id,
        subscription_id=override.subscription_id,
        feature=override.feature,
        kind=override.kind,
        definition=to_definition(override.definition),
        reason=override.reason,
        effective_at=override.effective_at,
        expires_at=override.expires_at,
        ends_at=override.ends_at,
        superseded_by=override.superseded_by,
        removed_at=override.removed_at,
        created_at=override.created_at,
    )
