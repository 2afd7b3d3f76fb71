"""Can the platform API be learned, and called, from its document alone?"""

from __future__ import annotations

from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from billwright.features.pricing.rules.models import PRICING_MODELS
from billwright.surfaces.platform_api import (
    api_keys_models,
    invoices_inputs,
    plans_models,
    promotions_models,
    test_clocks,
    webhook_models,
)
from billwright.surfaces.platform_api import subscription_changes_models as changes
from billwright.surfaces.platform_api import subscription_life_models as life
from billwright.surfaces.platform_api.account_credit import CreditChangeInput
from billwright.surfaces.platform_api.accounts_models import (
    AccountInput,
    AccountUpdateInput,
    CloseInput,
)
from billwright.surfaces.platform_api.app import create_platform_api
from billwright.surfaces.platform_api.charges import ChargeInput
from billwright.surfaces.platform_api.contacts import ContactInput, ContactUpdateInput
from billwright.surfaces.platform_api.dunning_policies_models import (
    DunningPolicyInput,
    DunningPreviewInput,
)
from billwright.surfaces.platform_api.invoice_series import SeriesInput
from billwright.surfaces.platform_api.payment_failures import DunningPauseInput, WriteOffInput
from billwright.surfaces.platform_api.payment_pages import PaymentPageInput
from billwright.surfaces.platform_api.payments import ConclusionInput, PaymentInput
from billwright.surfaces.platform_api.renewals_models import RenewalUpdateInput
from billwright.surfaces.platform_api.subscriptions_inputs import SubscriptionInput
from billwright.surfaces.platform_api.trials_models import TrialInput

OPERATIONS = {
    ("/accounts", "get"): "list_accounts",
    ("/accounts", "post"): "create_account",
    ("/accounts/{account_id}", "get"): "get_account",
    ("/accounts/{account_id}", "patch"): "update_account",
    ("/accounts/{account_id}/close", "post"): "close_account",
    ("/accounts/{account_id}/reopen", "post"): "reopen_account",
    ("/accounts/{account_id}/unpark", "post"): "unpark_account",
    ("/accounts/{account_id}/contacts", "get"): "list_contacts",
    ("/accounts/{account_id}/contacts", "post"): "add_contact",
    ("/accounts/{account_id}/contacts/{contact_id}", "delete"): "remove_contact",
    ("/accounts/{account_id}/contacts/{contact_id}", "get"): "get_contact",
    ("/accounts/{account_id}/contacts/{contact_id}", "patch"): "update_contact",
    ("/accounts/{account_id}/upcoming-invoice", "get"): "get_upcoming_invoice",
    ("/accounts/{account_id}/credit", "get"): "get_account_credit",
    ("/accounts/{account_id}/credit", "post"): "change_account_credit",
    ("/accounts/{account_id}/credit/entries", "get"): "list_account_credit_entries",
    ("/api-keys", "get"): "list_api_keys",
    ("/api-keys", "post"): "create_api_key",
    ("/api-keys/{api_key_id}", "get"): "get_api_key",
    ("/api-keys/{api_key_id}", "patch"): "update_api_key",
    ("/api-keys/{api_key_id}/revoke", "post"): "revoke_api_key",
    ("/charges", "post"): "create_charge",
    ("/charges/invoice", "post"): "invoice_charges",
    ("/accounts/{account_id}/entitlements", "get"): "list_account_entitlements",
    ("/accounts/{account_id}/entitlements/{feature_code}", "get"): "get_account_entitlement",
    ("/accounts/{account_id}/entitlement-overrides", "get"): "list_entitlement_overrides",
    ("/accounts/{account_id}/entitlement-overrides", "post"): "create_entitlement_override",
    ("/accounts/{account_id}/entitlement-grants", "get"): "list_entitlement_grants",
    ("/accounts/{account_id}/entitlement-grants", "post"): "create_entitlement_grant",
    ("/entitlement-grants/{grant_id}", "get"): "get_entitlement_grant",
    ("/entitlement-grants/{grant_id}/void", "post"): "void_entitlement_grant",
    ("/entitlements/reserve", "post"): "reserve_entitlement",
    ("/entitlements/reservations", "get"): "list_reservations",
    ("/entitlements/reservations/{reservation_id}", "get"): "get_reservation",
    ("/entitlements/reservations/{reservation_id}/commit", "post"): "commit_reservation",
    ("/entitlements/reservations/{reservation_id}/release", "post"): "release_reservation",
    ("/entitlement-overrides/{override_id}", "delete"): "remove_entitlement_override",
    ("/entitlement-overrides/{override_id}", "get"): "get_entitlement_override",
    ("/features", "get"): "list_features",
    ("/features", "post"): "create_feature",
    ("/features/{feature_code}", "get"): "get_feature",
    ("/features/{feature_code}", "patch"): "update_feature",
    ("/features/{feature_code}/default", "delete"): "remove_feature_default",
    ("/features/{feature_code}/default", "put"): "set_feature_default",
    ("/meters", "get"): "list_meters",
    ("/meters", "post"): "create_meter",
    ("/meters/{meter_code}", "get"): "get_meter",
    ("/meters/{meter_code}", "patch"): "update_meter",
    ("/meters/{meter_code}/archive", "post"): "archive_meter",
    ("/meters/{meter_code}/versions", "get"): "list_meter_versions",
    ("/notification-requests", "get"): "list_notification_requests",
    ("/notification-requests/{request_id}", "get"): "get_notification_request",
    ("/usage", "post"): "record_usage",
    ("/usage/corrections", "post"): "create_usage_corrections",
    ("/subscriptions/{subscription_id}/usage", "get"): "get_subscription_usage",
    ("/subscriptions/{subscription_id}/usage-events", "get"): "list_usage_events",
    ("/subscriptions/{subscription_id}/billed-usage", "get"): "list_subscription_billed_usage",
    ("/invoice-series", "get"): "list_invoice_series",
    ("/invoice-series/{kind}", "get"): "get_invoice_series",
    ("/invoice-series/{kind}", "put"): "set_invoice_series",
    ("/invoices", "get"): "list_invoices",
    ("/invoices", "post"): "create_invoice",
    ("/invoices/{invoice_id}", "delete"): "delete_draft",
    ("/invoices/{invoice_id}", "get"): "get_invoice",
    ("/invoices/{invoice_id}", "patch"): "update_draft",
    ("/invoices/{invoice_id}/credit-notes", "post"): "create_credit_note",
    ("/invoices/{invoice_id}/finalize", "post"): "finalize_invoice",
    ("/invoices/{invoice_id}/lines", "get"): "explain_lines",
    ("/invoices/{invoice_id}/send", "post"): "send_invoice",
    ("/invoices/{invoice_id}/uncollectible", "post"): "mark_uncollectible",
    ("/invoices/{invoice_id}/void", "post"): "void_invoice",
    ("/invoices/{invoice_id}/apply-credit", "post"): "apply_credit",
    ("/invoices/{invoice_id}/pdf", "get"): "get_invoice_pdf",
    ("/dunning-policy", "get"): "get_dunning_policy",
    ("/dunning-policy", "put"): "set_dunning_policy",
    ("/payment-failures", "get"): "list_payment_failures",
    ("/payment-failures/{payment_failure_id}", "get"): "get_payment_failure",
    ("/payment-failures/{payment_failure_id}/pause", "post"): "pause_payment_failure",
    ("/payment-failures/{payment_failure_id}/resume", "post"): "resume_payment_failure",
    ("/payment-failures/{payment_failure_id}/retry", "post"): "retry_payment_failure",
    ("/payment-failures/{payment_failure_id}/write-off", "post"): "write_off_payment_failure",
    ("/payments", "get"): "list_payments",
    ("/payments", "post"): "create_payment",
    ("/payments/{payment_id}", "get"): "get_payment",
    ("/payments/{payment_id}/cancel", "post"): "cancel_payment",
    ("/payments/{payment_id}/conclude", "post"): "conclude_payment",
    ("/invoices/{invoice_id}/payment-page", "post"): "open_payment_page",
    ("/reconciliations", "get"): "list_reconciliations",
    ("/review-tasks", "get"): "list_review_tasks",
    ("/review-tasks/{task_id}", "get"): "get_review_task",
    ("/review-tasks/{task_id}/resolve", "post"): "resolve_review_task",
    ("/accounts/{account_id}/payment-methods", "get"): "list_payment_methods",
    ("/accounts/{account_id}/payment-methods/setup", "post"): "set_up_payment_method",
    ("/payment-method-setups/{setup_id}", "get"): "get_payment_method_setup",
    ("/payment-methods/{payment_method_id}", "delete"): "remove_payment_method",
    ("/payment-methods/{payment_method_id}", "get"): "get_payment_method",
    ("/payment-methods/{payment_method_id}/default", "post"): "make_payment_method_default",
    ("/plans", "get"): "list_plans",
    ("/plans", "post"): "create_plan",
    ("/plans/{plan_code}", "get"): "get_plan",
    ("/plans/{plan_code}", "patch"): "update_plan",
    ("/plans/{plan_code}/archive", "post"): "archive_plan",
    ("/plans/{plan_code}/dunning-policy", "delete"): "reset_plan_dunning_policy",
    ("/plans/{plan_code}/dunning-policy", "get"): "get_plan_dunning_policy",
    ("/plans/{plan_code}/dunning-policy", "put"): "set_plan_dunning_policy",
    ("/plans/{plan_code}/versions", "get"): "list_plan_versions",
    ("/plans/{plan_code}/versions", "post"): "create_plan_version",
    ("/plans/{plan_code}/versions/{number}", "get"): "get_plan_version",
    ("/problems/{code}", "get"): "get_problem_type",
    ("/promotions", "get"): "list_promotions",
    ("/promotions", "post"): "create_promotion",
    ("/promotions/{promotion_code}", "get"): "get_promotion",
    ("/promotions/{promotion_code}", "patch"): "update_promotion",
    ("/promotions/{promotion_code}/archive", "post"): "archive_promotion",
    ("/promotions/{promotion_code}/redemptions", "get"): "list_redemptions",
    ("/provider-callbacks", "get"): "list_provider_callbacks",
    ("/provider-callbacks/{callback_id}/retry", "post"): "retry_provider_callback",
    ("/disputes", "get"): "list_disputes",
    ("/disputes/{dispute_id}", "get"): "get_dispute",
    ("/payments/{payment_id}/refunds", "post"): "create_refund",
    ("/refunds", "get"): "list_refunds",
    ("/refunds/{refund_id}", "get"): "get_refund",
    ("/refunds/{refund_id}/confirm", "post"): "confirm_refund",
    ("/refunds/{refund_id}/retry", "post"): "retry_refund",
    ("/redemptions/{redemption_id}/end", "post"): "end_redemption",
    ("/subscriptions", "get"): "list_subscriptions",
    ("/subscriptions/{subscription_id}", "get"): "get_subscription",
    ("/subscriptions/{subscription_id}/history", "get"): "list_subscription_history",
    (
        "/subscriptions/{subscription_id}/upcoming-invoice",
        "get",
    ): "get_subscription_upcoming_invoice",
    ("/subscriptions/{subscription_id}/entitlements", "get"): "get_entitlements",
    ("/subscriptions/{subscription_id}/renewal", "get"): "get_subscription_renewal",
    ("/subscriptions/{subscription_id}/renewal", "patch"): "update_subscription_renewal",
    ("/renewals", "get"): "list_renewals",
    ("/trials", "get"): "list_trials",
    ("/trials/{trial_id}", "get"): "get_trial",
    ("/cancellations", "get"): "list_cancellations",
    ("/cancellations/report", "get"): "get_cancellation_report",
    ("/cancellations/{cancellation_id}", "get"): "get_cancellation",
    ("/cancellations/{cancellation_id}/undo", "post"): "undo_cancellation_by_id",
    ("/test-clocks", "get"): "list_test_clocks",
    ("/test-clocks", "post"): "create_test_clock",
    ("/test-clocks/{test_clock_id}", "get"): "get_test_clock",
    ("/test-clocks/{test_clock_id}/advance", "post"): "advance_test_clock",
    ("/audit-entries", "get"): "list_audit_entries",
    ("/events", "get"): "list_events",
    ("/events/{event_id}", "get"): "get_event",
    ("/events/{event_id}/webhook-attempts", "get"): "list_event_webhook_attempts",
    ("/event-types", "get"): "list_event_types",
    ("/webhook-endpoints", "get"): "list_webhook_endpoints",
    ("/webhook-endpoints", "post"): "create_webhook_endpoint",
    ("/webhook-endpoints/{webhook_endpoint_id}", "delete"): "delete_webhook_endpoint",
    ("/webhook-endpoints/{webhook_endpoint_id}", "get"): "get_webhook_endpoint",
    ("/webhook-endpoints/{webhook_endpoint_id}", "patch"): "update_webhook_endpoint",
    ("/webhook-endpoints/{webhook_endpoint_id}/attempts", "get"): "list_webhook_attempts",
    ("/webhook-endpoints/{webhook_endpoint_id}/deliveries", "get"): "list_webhook_deliveries",
    (
        "/webhook-endpoints/{webhook_endpoint_id}/deliveries/{event_id}/replay",
        "post",
    ): "replay_webhook_delivery",
    ("/webhook-endpoints/{webhook_endpoint_id}/disable", "post"): "disable_webhook_endpoint",
    ("/webhook-endpoints/{webhook_endpoint_id}/enable", "post"): "enable_webhook_endpoint",
    ("/webhook-endpoints/{webhook_endpoint_id}/replay", "post"): "replay_webhook_events",
    ("/webhook-endpoints/{webhook_endpoint_id}/rotate-secret", "post"): "rotate_webhook_secret",
    ("/webhook-endpoints/{webhook_endpoint_id}/test", "post"): "test_webhook_endpoint",
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_platform_api().openapi()


# Each has a second route that previews it.
COMMANDS = {
    ("/subscriptions", "post"): "create_subscription",
    ("/subscriptions/{subscription_id}/add-ons", "post"): "add_add_on",
    ("/subscriptions/{subscription_id}/add-ons/{component}/remove", "post"): "remove_add_on",
    ("/subscriptions/{subscription_id}/cancel", "post"): "cancel_subscription",
    ("/subscriptions/{subscription_id}/change-plan", "post"): "change_plan",
    ("/subscriptions/{subscription_id}/change-quantity", "post"): "change_quantity",
    ("/subscriptions/{subscription_id}/collection", "put"): "set_subscription_collection",
    ("/subscriptions/{subscription_id}/migrate", "post"): "migrate_subscription",
    ("/subscriptions/{subscription_id}/pause", "post"): "pause_subscription",
    ("/subscriptions/{subscription_id}/renew", "post"): "renew_subscription",
    ("/subscriptions/{subscription_id}/renewal", "put"): "set_subscription_renewal",
    ("/subscriptions/{subscription_id}/resume", "post"): "resume_subscription",
    ("/subscriptions/{subscription_id}/trial/end", "post"): "end_trial",
    ("/subscriptions/{subscription_id}/trial/extend", "post"): "extend_trial",
    ("/subscriptions/{subscription_id}/undo-cancellation", "post"): "undo_cancellation",
    ("/subscriptions/{subscription_id}/undo-change", "post"): "undo_change",
    ("/subscriptions/{subscription_id}/redeem", "post"): "redeem_code",
    ("/trials", "post"): "create_trial",
    ("/trials/{trial_id}/convert", "post"): "convert_trial",
    ("/trials/{trial_id}/end", "post"): "end_trial_by_id",
    ("/trials/{trial_id}/extend", "post"): "extend_trial_by_id",
}
# These need no key.
PUBLIC = {("/problems/{code}", "get")}
# These ask and change nothing.
PREVIEWS = {
    ("/dunning-policy/preview", "post"): "preview_dunning_policy",
    ("/entitlements/check", "post"): "check_entitlements",
    **{(f"{path}/preview", "post"): f"preview_{name}" for (path, _), name in COMMANDS.items()},
}


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (path, method): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_the_document_is_valid(document: dict[str, Any]):
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


def test_operations_have_stable_names(document: dict[str, Any]):
    named = {place: one["operationId"] for place, one in operations(document).items()}
    assert named == OPERATIONS | COMMANDS | PREVIEWS


def test_every_operation_is_explained(document: dict[str, Any]):
    tags = {tag["name"] for tag in document["tags"]}
    for place, operation in operations(document).items():
        assert operation["summary"], place
        assert set(operation["tags"]) <= tags, place
        if place in PUBLIC:
            assert operation["security"] == [], place
            continue
        assert {"401", "403", "422", "4XX", "5XX"} <= set(operation["responses"]), place
        parameters = [next(iter(one.values())) for one in operation.get("parameters", [])]
        assert "#/components/parameters/XTenant" in parameters, place
        keyed = "#/components/parameters/IdempotencyKey" in parameters
        assert keyed is (place[1] != "get" and place not in PREVIEWS), place
        assert "title" in document["components"]["schemas"]["Problem"]["properties"]


def test_every_refusal_is_listed_where_it_may_happen(document: dict[str, Any]):
    responses = operations(document)["/subscriptions/{subscription_id}/cancel", "post"]["responses"]
    assert "`version_stale`" in responses["412"]["description"]
    assert "`state_forbids`" in responses["409"]["description"]
    assert "`subscription_unknown`" in responses["404"]["description"]
    assert "`scope_missing`" in responses["403"]["description"]


def test_every_operation_names_the_scope_that_it_needs(document: dict[str, Any]):
    for place, operation in operations(document).items():
        needed = [each["api_key"] for each in operation["security"]]
        if needed:  # Who may be asked without a key is told in test_scopes.py.
            [[scope]] = needed
            group = operation["tags"][0].replace(" ", "_")
            assert scope in {f"{group}:read", f"{group}:write"}, place
            assert f"Needs the scope `{scope}`." in operation["description"], place


def test_callers_authenticate_by_bearer(document: dict[str, Any]):
    assert document["security"] == [{"api_key": []}]
    scheme = document["components"]["securitySchemes"]["api_key"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")


def test_every_pricing_model_is_a_choice(document: dict[str, Any]):
    schemas = document["components"]["schemas"]
    for name in ["ComponentInput", "Component"]:
        items = schemas[name]["properties"]["prices"]["items"]
        assert set(items["discriminator"]["mapping"]) == set(PRICING_MODELS)
        assert len(items["oneOf"]) == len(PRICING_MODELS)


def test_every_schema_is_one_that_something_uses(document: dict[str, Any]):
    text = str(document)
    for name in document["components"]["schemas"]:
        assert f"#/components/schemas/{name}'" in text
    assert not {"BaseModel", "PricedInput"} & set(document["components"]["schemas"])
    assert "AccountPage" in document["components"]["schemas"]


@pytest.mark.parametrize(
    "model",
    [
        plans_models.PlanInput,
        plans_models.PlanUpdateInput,
        plans_models.PlanVersionInput,
        api_keys_models.ApiKeyInput,
        api_keys_models.ApiKeyUpdateInput,
        AccountInput,
        AccountUpdateInput,
        CloseInput,
        ContactInput,
        ContactUpdateInput,
        SubscriptionInput,
        TrialInput,
        RenewalUpdateInput,
        life.CancellationInput,
        life.CollectionInput,
        life.PauseInput,
        life.RenewalInput,
        life.TrialExtensionInput,
        changes.AddOnInput,
        changes.AddOnRemovalInput,
        changes.MigrationInput,
        changes.PlanChangeInput,
        changes.QuantityChangeInput,
        PaymentInput,
        ConclusionInput,
        PaymentPageInput,
        CreditChangeInput,
        ChargeInput,
        SeriesInput,
        DunningPolicyInput,
        DunningPreviewInput,
        DunningPauseInput,
        WriteOffInput,
        invoices_inputs.ManualInvoiceInput,
        invoices_inputs.DraftUpdateInput,
        invoices_inputs.EndInput,
        invoices_inputs.CreditNoteInput,
        promotions_models.PromotionInput,
        promotions_models.PromotionUpdateInput,
        test_clocks.TestClockInput,
        webhook_models.WebhookEndpointInput,
        webhook_models.WebhookEndpointUpdateInput,
        webhook_models.WebhookReplayInput,
    ],
)
def test_every_example_is_a_request_that_is_accepted(model: Any):
    examples = model.model_json_schema()["examples"]
    assert examples
    for example in examples:
        model.model_validate(example)


def test_numbers_that_count_money_are_strings(document: dict[str, Any]):
    """Whole numbers may be JSON numbers; amounts, prices, rates and quantities may not."""
    for name, schema in document["components"]["schemas"].items():
        for member, property_schema in schema.get("properties", {}).items():
            assert "'number'" not in str(property_schema), (name, member)
