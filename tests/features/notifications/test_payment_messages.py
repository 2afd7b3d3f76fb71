"""Are people told what happens to their payments, once, and nothing that is not so?"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from billwright.features.dunning.events import (
    DunningAccessChanged,
    DunningExhausted,
    DunningNoticeDue,
    DunningRecovered,
)
from billwright.features.notifications.messages import (
    MessageSender,
    MessageType,
    render_message,
)
from billwright.features.payment_methods.events import PaymentMethodExpiring
from billwright.features.payment_methods.operations.store_method import store_method
from billwright.features.payment_providers.model import MethodKind
from billwright.features.payment_providers.port import SavedMethod
from billwright.features.payments.events import PaymentActionRequired, PaymentSucceeded
from billwright.features.refunds.events import RefundSucceeded
from billwright.features.subscriptions.model import CancellationMode, CancellationReason
from billwright.features.subscriptions.operations.cancel_subscription import (
    CancelSubscription,
    cancel_subscription,
)
from billwright.kernel.ids import new_id
from tests.conftest import BOX
from tests.features.billing import a_plan, a_subscription, an_account
from tests.features.notifications.requesting import requests_of, run_reactions, the_account

INVOICE = new_id()
ABOUT: dict[str, Any] = {"invoice_id": INVOICE, "invoice_number": "INV-7"}
MONEY: dict[str, Any] = {"currency": "EUR", "amount_minor": 4629}
# Nine in the evening of the 19th in UTC is the next day in Tokyo.
EVENING = datetime(2026, 1, 19, 21, tzinfo=UTC)


def notice(case, **changes: Any):
    values: dict[str, Any] = {
        "step": 0,
        "code": "payment_missing",
        "currency": "EUR",
        "due_minor": 4629,
        "next_attempt_at": EVENING,
    }
    return DunningNoticeDue(**case, **ABOUT, **{**values, **changes})


async def told(tenant, database, registry, make, **account: Any):
    """The requests that follow from the events which `make` makes about an account and one case."""
    owner = await the_account(tenant, **account)
    events = make({"subject_id": new_id(), "account_id": owner.id})
    async with tenant.tx() as tx:
        for event in events:
            tx.publish(event)
    await run_reactions(database, registry)
    await run_reactions(database, registry)
    return await requests_of(tenant)


async def test_a_notice_says_how_much_is_missing_and_when_it_is_tried_again(
    tenant, database, registry
):
    [request] = await told(
        tenant, database, registry, lambda case: [notice(case)], locale="de", zone="Asia/Tokyo"
    )
    assert request.type == "dunning.payment_missing"
    assert request.data == {
        "account_name": "Riverbank Books",
        "invoice_number": "INV-7",
        "amount_label": "46,29\N{NO-BREAK SPACE}€",
        "next_attempt_on_label": "20. Januar 2026",
    }
    # All messages about one debt leave in their order, and the link is made from the subject.
    assert (request.subject_type, request.subject_id) == ("invoice", INVOICE)


async def test_each_step_and_code_is_told_once_and_unknown_codes_in_neutral_words(
    tenant, database, registry
):
    requests = await told(
        tenant,
        database,
        registry,
        lambda case: [
            notice(case),
            notice(case),
            notice(case, step=1, next_attempt_at=None),
            notice(case, step=1, code="reminder"),
            notice(case, step=1, code="last_warning_by_letter"),
        ],
    )
    assert [request.type for request in requests] == [
        "dunning.payment_missing",
        "dunning.payment_missing",
        "dunning.reminder",
        "dunning.notice",
    ]
    assert "next_attempt_on_label" not in requests[1].data


@pytest.mark.parametrize(
    ("effect", "types"),
    [
        ("keep", []),
        ("degrade", ["dunning.access_limited"]),
        ("read_only", ["dunning.access_limited"]),
        ("revoke", ["dunning.access_suspended"]),
    ],
)
async def test_less_access_is_told(tenant, database, registry, effect, types):
    requests = await told(
        tenant,
        database,
        registry,
        lambda case: [
            DunningAccessChanged(**case, **ABOUT, effect=effect, features=(), subscription_ids=())
        ],
    )
    assert [request.type for request in requests] == types


@pytest.mark.parametrize(
    ("action", "subscriptions", "types"),
    [
        ("cancel", 1, ["dunning.canceled"]),
        ("mark_unpaid", 2, ["dunning.unpaid"]),
        ("leave_past_due", 1, []),
        ("cancel", 0, []),
    ],
)
async def test_the_end_is_told_where_it_is_one(
    tenant, database, registry, action, subscriptions, types
):
    ended = tuple(new_id() for _ in range(subscriptions))
    requests = await told(
        tenant,
        database,
        registry,
        lambda case: [DunningExhausted(**case, **ABOUT, action=action, subscription_ids=ended)],
    )
    assert [request.type for request in requests] == types


async def test_payments_and_methods(tenant, database, registry):
    method = new_id()

    def expiring(case, day):
        return PaymentMethodExpiring(
            **case | {"subject_id": method}, label="Visa •••• 4242", expires_on=day
        )

    requests = await told(
        tenant,
        database,
        registry,
        lambda case: [
            PaymentActionRequired(
                **case, **ABOUT, **MONEY, origin="dunning", provider="stripe", expires_at=EVENING
            ),
            PaymentSucceeded(
                **case,
                **ABOUT,
                **MONEY,
                origin="requested",
                provider="manual",
                method="bank_transfer",
                asked_minor=4629,
                unapplied_minor=129,
                paid_on=date(2026, 1, 14),
            ),
            RefundSucceeded(**case, **ABOUT, **MONEY, payment_id=new_id()),
            DunningRecovered(**case, **ABOUT),
            expiring(case, date(2026, 2, 28)),
            expiring(case, date(2026, 2, 28)),
            expiring(case, date(2029, 2, 28)),  # the bank has renewed it
        ],
    )
    by_type = {request.type: request for request in requests}
    assert [request.type for request in requests].count("payment_method.expiring") == 2
    assert by_type["payment.action_required"].data["expires_on_label"] == "January 19, 2026"
    assert by_type["payment.succeeded"].data["credit_label"] == "€1.29"
    assert by_type["refund.succeeded"].data["amount_label"] == "€46.29"
    assert by_type["payment_method.expiring"].subject_id == method
    assert "dunning.recovered" in by_type
    for request in requests:
        for locale in ("en", "de"):
            message = render_message(
                MessageType(request.type),
                locale=locale,
                data=request.data,
                sender=MessageSender("Northlight"),
            )
            assert "None" not in message.text


async def test_who_is_charged_by_themselves_is_told_with_what(tenant, database, registry):
    async with tenant.tx() as tx:
        await a_plan(tx)
        account = await an_account(tx, email="books@riverbank.example")
        await store_method(
            tx,
            account_id=account.id,
            provider="sandbox",
            method=SavedMethod(
                reference="sandbox_paid", kind=MethodKind.CARD, label="Visa •••• 4242"
            ),
            consent="setup page of sandbox",
            box=BOX,
        )
        await a_subscription(tx, account)
    await run_reactions(database, registry)
    [invoice] = [one for one in await requests_of(tenant) if one.type == "invoice.finalized"]
    assert invoice.data["collection_label"] == "Visa •••• 4242"


async def test_an_end_for_want_of_payment_is_not_told_twice(tenant, database, registry):
    async with tenant.tx() as tx:
        await a_plan(tx)
        started = await a_subscription(tx, await an_account(tx, email="books@riverbank.example"))
        await cancel_subscription(
            tx,
            CancelSubscription(
                subscription_id=started.subscription.id,
                mode=CancellationMode.NOW,
                reason=CancellationReason.PAYMENT_FAILED,
            ),
        )
    await run_reactions(database, registry)
    assert "subscription.canceled" not in {one.type for one in await requests_of(tenant)}
