"""Does playing the payer have the same consequences as a payer has?"""

from __future__ import annotations

import pytest

from billwright.features.identity.operations.create_api_key import create_api_key
from billwright.features.invoicing.model import InvoiceState
from billwright.features.invoicing.sql.reads import invoice_by_id
from billwright.features.payment_methods.sql.reads import default_method_of
from billwright.features.payments.sql.reads import list_payments
from billwright.providers.payment import discover
from tests.features.billing import an_account
from tests.surfaces.payer_page.conftest import ADDRESS, application_of, browser_of
from tests.surfaces.payer_page.paying import Page, an_invoice, link_to

HINT = "Sandbox: no money is moved."


async def test_from_the_link_to_the_paid_invoice(tenant, browser):
    invoice = await an_invoice(tenant)
    link = link_to(tenant, invoice.id)
    place = (await browser.post(link)).headers["location"]
    page = Page(await browser.get(place))
    assert HINT in page.text
    assert "€46.29" in page.text
    assert page.buttons == ["Pay", "Decline", "Leave"]

    paid = await browser.post(f"{place}/pay")
    assert (paid.status_code, paid.headers["location"]) == (303, f"{link}?returned=1")
    back = Page(await browser.get(paid.headers["location"]))
    assert back.heading == "This invoice is paid"
    async with tenant.tx() as tx:
        assert (await invoice_by_id(tx, invoice.id)).state is InvoiceState.PAID
        # What was paid with is kept for the invoices to come.
        method = await default_method_of(tx, invoice.account_id)
        assert method is not None
        assert method.label == "Visa •••• 4242"

    # It is played once: the page is closed, and nothing more happens on it.
    assert "This page is closed: succeeded." in Page(await browser.get(place)).text
    await browser.post(f"{place}/pay")
    async with tenant.tx() as tx:
        [payment] = await list_payments(tx, before=None, limit=10)
        assert payment.captured_minor == 4629


@pytest.mark.parametrize(("play", "state"), [("decline", "failed"), ("leave", "canceled")])
async def test_who_does_not_pay_comes_back_and_can_try_again(tenant, browser, play, state):
    invoice = await an_invoice(tenant)
    link = link_to(tenant, invoice.id)
    place = (await browser.post(link)).headers["location"]
    answer = await browser.post(f"{place}/{play}")
    assert (answer.status_code, answer.headers["location"]) == (303, link)
    async with tenant.tx() as tx:
        [payment] = await list_payments(tx, before=None, limit=10)
        assert payment.state.value == state
    assert Page(await browser.get(link)).buttons == ["Pay now"]
    assert (await browser.post(link)).headers["location"] != place


async def test_a_method_is_left_without_paying(tenant, browser):
    async with tenant.tx() as tx:
        account, key = await an_account(tx), await create_api_key(tx, name="platform")
    opened = await browser.post(
        f"/api/billing/accounts/{account.id}/payment-methods/setup",
        json={
            "success_url": "https://platform.example.com/done",
            "cancel_url": "https://platform.example.com/settings",
        },
        headers={"Authorization": f"Bearer {key.text}"},
    )
    place = opened.json()["url"]
    page = Page(await browser.get(place))
    assert page.heading == "Leave a payment method"
    assert page.buttons == ["Leave a card", "Decline", "Leave"]
    assert ("value", "4444") in page.attributes
    answer = await browser.post(f"{place}/pay", data={"card": "4444"})
    assert answer.headers["location"] == "https://platform.example.com/done"
    async with tenant.tx() as tx:
        method = await default_method_of(tx, account.id)
        assert method is not None
        assert method.label == "Mastercard •••• 4444"


async def test_what_does_not_exist_is_no_page(browser):
    for method, path in {
        "GET": "/sandbox/sandbox_payment_0000",
        "POST": "/sandbox/sandbox_payment_0000/pay",
    }.items():
        assert (await browser.request(method, path)).status_code == 404


async def test_an_unknown_play_is_no_page(tenant, browser):
    invoice = await an_invoice(tenant)
    place = (await browser.post(link_to(tenant, invoice.id))).headers["location"]
    assert (await browser.post(f"{place}/steal")).status_code == 404


async def test_without_the_sandbox_there_are_no_such_pages(database, tmp_path, providers):
    off = application_of(database, providers, home=tmp_path, PAYMENT_SANDBOX="false")
    async with browser_of(off) as browser:
        assert (await browser.get(f"{ADDRESS}/sandbox/x")).json()["code"] == "route_not_found"
    without = application_of(database, discover(), home=tmp_path)
    async with browser_of(without) as browser:
        assert Page(await browser.get(f"{ADDRESS}/sandbox/x")).status == 404
