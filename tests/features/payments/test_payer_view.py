"""Is a payer shown what they can do, and never asked twice for the same money?"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from billwright.features.invoicing.model import DocumentKind, Invoice, InvoiceState
from billwright.features.payment_providers.model import AttemptState
from billwright.features.payments.model import Attempt, Channel
from billwright.features.payments.rules.payer_view import PayerView, payer_view


def view(live: Attempt | None = None, *, comes_back: bool = False, **changes: Any) -> PayerView:
    values: dict[str, Any] = {
        "kind": DocumentKind.INVOICE,
        "state": InvoiceState.OPEN,
        "due_minor": 4629,
        "pages_offered": True,
    } | changes
    pages_offered = values.pop("pages_offered")
    invoice = cast("Invoice", SimpleNamespace(**values))
    return payer_view(invoice, live, pages_offered=pages_offered, comes_back=comes_back)


def attempt(state: AttemptState, channel: Channel = Channel.COLLECT) -> Attempt:
    return cast("Attempt", SimpleNamespace(state=state, channel=channel))


@pytest.mark.parametrize(
    ("changes", "seen"),
    [
        ({}, PayerView.TO_PAY),
        ({"state": InvoiceState.PARTIALLY_PAID}, PayerView.TO_PAY),
        ({"pages_offered": False}, PayerView.TO_TRANSFER),
        ({"state": InvoiceState.PAID, "due_minor": 0}, PayerView.PAID),
        ({"state": InvoiceState.VOID}, PayerView.NOTHING_DUE),
        ({"state": InvoiceState.UNCOLLECTIBLE}, PayerView.NOTHING_DUE),
        ({"due_minor": 0}, PayerView.NOTHING_DUE),
        ({"state": InvoiceState.DRAFT}, PayerView.UNKNOWN),
        ({"state": InvoiceState.FINALIZING}, PayerView.UNKNOWN),
        ({"kind": DocumentKind.CREDIT_NOTE}, PayerView.UNKNOWN),
    ],
)
def test_without_a_payment_under_way(changes, seen):
    assert view(**changes) is seen


@pytest.mark.parametrize(
    ("state", "channel", "seen", "seen_coming_back"),
    [
        (AttemptState.REQUIRES_ACTION, Channel.PAGE, PayerView.TO_PAY, PayerView.PAYING),
        (AttemptState.SUBMITTED, Channel.PAGE, PayerView.TO_PAY, PayerView.PAYING),
        (AttemptState.PROCESSING, Channel.PAGE, PayerView.PROCESSING, PayerView.PROCESSING),
        (AttemptState.REQUIRES_ACTION, Channel.COLLECT, PayerView.TO_CONFIRM, PayerView.PAYING),
        (AttemptState.CREATED, Channel.COLLECT, PayerView.PROCESSING, PayerView.PROCESSING),
        (AttemptState.UNKNOWN, Channel.COLLECT, PayerView.PROCESSING, PayerView.PROCESSING),
    ],
)
def test_with_a_payment_under_way(state, channel, seen, seen_coming_back):
    live = attempt(state, channel)
    assert view(live) is seen
    assert view(live, comes_back=True) is seen_coming_back
    # What is paid or void meanwhile is not asked for, whatever is still under way.
    assert view(live, state=InvoiceState.PAID, due_minor=0) is PayerView.PAID
