"""What may a personal access token open, and who may say so?"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from billwright.features.identity.errors import (
    token_scope_not_grantable,
    token_scope_unknown,
    token_scopes_missing,
)
from billwright.features.identity.model import Role

_OF_EVERYBODY = (
    "subscriptions:read",
    "subscriptions:write",
    "invoices:read",
    "invoices:pay",
    "customer_profile:write",
    "usage:read",
    "promotions:read",
    "projects:read",
    "projects:write",
    "tickets:read",
    "tickets:write",
    "milestones:write",
    "time_entries:write",
)
_OF_ADMINS = (
    "catalog:write",
    "invoices:write",
    "customer_profile:admin",
    "usage:write",
    "promotions:write",
    "billing_admin:read",
    "billing_admin:write",
    "datev:write",
    "users:admin",
    "webhooks:admin",
    "updates:admin",
)
TOKEN_SCOPES = (*_OF_EVERYBODY, *_OF_ADMINS)
"""All that there are. No scope includes another one."""


def grantable_by(role: Role) -> tuple[str, ...]:
    """The scopes that a user of this role may give to a token."""
    return TOKEN_SCOPES if role is Role.ADMIN else _OF_EVERYBODY


def effective(scopes: Collection[str], *, role: Role) -> tuple[str, ...]:
    """What of a token's scopes still counts, now that its user has this role."""
    return tuple(scope for scope in grantable_by(role) if scope in scopes)


def check_token_scopes(scopes: Sequence[str], *, role: Role) -> None:
    """Refuses: `token_scopes_missing`, `token_scope_unknown`, `token_scope_not_grantable`."""
    if not scopes:
        raise token_scopes_missing()
    for scope in scopes:
        if scope not in TOKEN_SCOPES:
            raise token_scope_unknown(scope=scope)
    for scope in scopes:
        if scope not in grantable_by(role):
            raise token_scope_not_grantable(role=role.value, scope=scope)
