"""What does the seller's own platform call?"""

from __future__ import annotations

from fastapi import FastAPI
from starlette.datastructures import State

from billwright import __version__
from billwright.surfaces.platform_api import (
    account_credit,
    account_entitlements,
    accounts,
    api_keys,
    audit_entries,
    cancellations,
    charges,
    contacts,
    disputes,
    dunning_policies,
    entitlement_grants,
    entitlement_overrides,
    entitlement_reservations,
    events,
    features,
    invoice_credit,
    invoice_sending,
    invoice_series,
    invoices,
    invoices_changes,
    meters,
    notification_requests,
    payment_failures,
    payment_methods,
    payment_pages,
    payments,
    plans,
    problem_types,
    promotions,
    provider_callbacks,
    reconciliations,
    refunds,
    renewals,
    review_tasks,
    subscription_changes,
    subscription_life,
    subscription_usage,
    subscriptions,
    test_clocks,
    trials,
    upcoming_invoices,
    usage,
    usage_events,
    webhook_deliveries,
    webhook_endpoints,
)
from billwright.surfaces.platform_api.caller import KnownCallers, scopes_of
from billwright.surfaces.platform_api.entitlement_checks import checks_route
from billwright.surfaces.platform_api.entitlements import entitlements_route
from billwright.surfaces.platform_api.usage import usage_route
from billwright.surfaces.platform_api.vocabulary import VOCABULARY
from billwright.surfaces.web.openapi import install_openapi, operation_id
from billwright.surfaces.web.problems import install_problem_handlers

PATH = "/api/billing"

_DESCRIPTION = """\
Subscription billing for a platform's own backend: plans, accounts, subscriptions, access, invoices
and payments.

- **Authentication**: an API key as `Authorization: Bearer bw_...`. Every operation
  names the scope that it needs, such as `invoices:read`; `billing:read` opens every read and
  `billing:write` everything.
  Where the installation allows it (`PLATFORM_API_USERS`), administrators may call as well with
  what they signed in with; everything is open to them at the tenant that `X-Tenant` names.
- **Errors** are RFC 9457 problems; programs go by `code`, which never changes.
- **Previewing**: every command on a subscription has a `.../preview` that answers what it would do and
  bill, to the cent, and does nothing.
- **Repeating**: a `POST` with an `Idempotency-Key` can be sent again without being done again.
- **Lists** are read page by page, newest first, by `cursor`.
- **Money** is a decimal string and a currency. Quantities, prices and limits are decimal strings.
- **Time** is RFC 3339 with an offset when sent and UTC when answered. A billing period is half open:
  it ends at the instant at which the next one begins.
"""
_TAGS = [
    {"name": "plans", "description": "What is sold: components with prices, and features."},
    {"name": "accounts", "description": "Who pays."},
    {"name": "promotions", "description": "Who pays less, how much less, and for how long."},
    {"name": "subscriptions", "description": "Who has subscribed to which plan, and until when."},
    {"name": "entitlements", "description": "What a subscription allows at this moment."},
    {"name": "meters", "description": "How what was used is counted."},
    {"name": "usage", "description": "What was used."},
    {"name": "invoices", "description": "What is owed, as documents that never change."},
    {"name": "payments", "description": "Which money has come, and for what."},
    {"name": "dunning", "description": "What is done about invoices that are not paid."},
    {"name": "problems", "description": "What the codes of refusals mean."},
    {"name": "events", "description": "What has happened, in order."},
    {"name": "webhooks", "description": "Which systems are told of it."},
    {"name": "notifications", "description": "Which messages to people were asked for."},
    {"name": "audit", "description": "Who did what, when and from where."},
    {"name": "api keys", "description": "Which services may do what."},
    {"name": "test clocks", "description": "Times of their own, to try out billing."},
]
_SECURITY_SCHEMES = {
    "api_key": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "bw_...",
        "description": "An API key of the tenant; after it is revoked it works for one second at "
        "most. Or, where the installation allows it, the session of an administrator, which is worthless "
        "as soon as it is ended.",
    }
}
_RESOURCES = (
    plans,
    features,
    accounts,
    account_credit,
    contacts,
    promotions,
    subscriptions,
    subscription_changes,
    subscription_life,
    trials,
    renewals,
    cancellations,
    meters,
    usage,
    subscription_usage,
    usage_events,
    account_entitlements,
    entitlement_overrides,
    entitlement_grants,
    entitlement_reservations,
    invoices,
    invoices_changes,
    invoice_credit,
    invoice_sending,
    upcoming_invoices,
    invoice_series,
    charges,
    payments,
    refunds,
    disputes,
    payment_failures,
    dunning_policies,
    payment_pages,
    payment_methods,
    provider_callbacks,
    reconciliations,
    review_tasks,
    problem_types,
    events,
    webhook_endpoints,
    webhook_deliveries,
    notification_requests,
    audit_entries,
    api_keys,
    test_clocks,
)


class _QuickState(State):
    """Plain attributes: the framework's own take as long to be found as all else that is looked up for
    a question about access.
    """

    def __setattr__(self, key: str, value: object) -> None:
        object.__setattr__(self, key, value)


def create_platform_api() -> FastAPI:
    """The application, to be mounted at `PATH`; requests need a `Wiring` as `state.wiring`."""
    app = FastAPI(
        title="Billwright Platform API",
        version=__version__,
        description=_DESCRIPTION,
        openapi_tags=_TAGS,
        servers=[{"url": PATH}],
        generate_unique_id_function=operation_id,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state = _QuickState()
    app.state.known_callers = KnownCallers()
    install_problem_handlers(app)
    scopes: dict[str, str] = {}
    for resource in _RESOURCES:
        app.include_router(resource.router)
        scopes |= scopes_of(resource.router.routes)
    app.router.routes.insert(0, usage_route())
    app.router.routes.insert(0, entitlements_route())
    app.router.routes.insert(0, checks_route())
    scopes |= scopes_of(app.routes)
    install_openapi(app, security_schemes=_SECURITY_SCHEMES, scopes=scopes, vocabulary=VOCABULARY)
    return app
