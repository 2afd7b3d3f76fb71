"""Can who has the link pay, and nobody do or see anything else?"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
import structlog
from structlog.testing import capture_logs

from billwright.features.invoicing.operations.void_invoice import VoidInvoice, void_invoice
from billwright.features.payment_providers.model import AttemptState, PaymentMethod
from billwright.features.payment_providers.port import (
    Checkout,
    PaymentProviders,
    ProviderUnavailable,
)
from billwright.features.payments.operations.collect_attempt import collect_attempt
from billwright.features.payments.operations.start_payment import StartPayment, start_payment
from billwright.features.payments.sql.reads import list_payments
from billwright.features.tenancy.operations.update_seller import update_seller
from billwright.features.tenancy.sql.reads import the_seller
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.providers.payment import discover
from tests.conftest import BOX, NOON
from tests.surfaces.payer_page.conftest import ADDRESS, application_of, browser_of
from tests.surfaces.payer_page.paying import Page, an_invoice, link_to


async def pay_by_hand(tenant, invoice, amount_minor):
    async with tenant.tx() as tx:
        attempt = await start_payment(
            tx,
            StartPayment(
                invoice_id=invoice.id,
                amount=Money(amount_minor, currency_of("EUR")),
                provider="manual",
                method=PaymentMethod.BANK_TRANSFER,
            ),
            providers=discover(),
        )
    await collect_attempt(tenant.tx, attempt.id, providers=discover(), box=BOX)


async def payments_of(tenant):
    async with tenant.tx() as tx:
        return await list_payments(tx, before=None, limit=10)


async def test_it_shows_what_is_due_and_looking_changes_nothing(tenant, browser):
    invoice = await an_invoice(tenant)
    for method in ("GET", "HEAD", "GET"):
        answer = await browser.request(method, link_to(tenant, invoice.id))
        assert answer.status_code == 200
    page = Page(answer)
    assert page.heading == "Pay your invoice"
    assert page.language == "en"
    assert page.buttons == ["Pay now"]
    for said in ("Northlight Software GmbH", invoice.number, "€46.29", "January 29, 2026"):
        assert said in page.text
    assert await payments_of(tenant) == []


async def test_it_is_self_contained_and_kept_and_told_by_nobody(tenant, browser):
    invoice = await an_invoice(tenant)
    answer = await browser.get(link_to(tenant, invoice.id))
    page = Page(answer)
    assert not {"script", "link", "img", "iframe", "input"} & set(page.tags)
    assert not {"src", "style", "onclick"} & {name for name, _ in page.attributes}
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "noindex" in answer.headers["x-robots-tag"]
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    style = re.findall("<style>(.*)</style>", answer.text, re.DOTALL)[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert "set-cookie" not in answer.headers


async def test_pressing_pay_leads_to_the_provider_s_page_and_the_same_one_again(
    tenant, browser, sandbox
):
    invoice = await an_invoice(tenant)
    link = link_to(tenant, invoice.id)
    first, second = await browser.post(link), await browser.post(link)
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["location"] == second.headers["location"]
    assert first.headers["location"].startswith(f"{ADDRESS}/sandbox/sandbox_payment_")
    [payment] = await payments_of(tenant)
    assert (payment.origin.value, payment.amount.amount_minor) == ("page", 4629)
    opened = sandbox.page_of(first.headers["location"].rpartition("/")[2])
    assert opened is not None
    assert (opened.success_url, opened.cancel_url) == (f"{link}?returned=1", link)
    # It still can be gone to, until it is paid.
    assert Page(await browser.get(link)).buttons == ["Pay now"]


async def test_who_comes_back_waits_for_a_minute_and_is_not_asked_again(tenant, browser):
    invoice = await an_invoice(tenant)
    link = link_to(tenant, invoice.id)
    await browser.post(link)
    answer = await browser.get(f"{link}?returned=1")
    page = Page(answer)
    assert (page.heading, page.buttons) == ("Thank you", [])
    assert ("content", "5; url=?returned=2") in page.attributes
    assert ("href", link) in page.attributes
    late = Page(await browser.get(f"{link}?returned=12"))
    assert not any(name == "http-equiv" for name, _ in late.attributes)
    for nonsense in ("x", "-1", "9" * 10_000, "²"):
        assert (await browser.get(link, params={"returned": nonsense})).status_code == 200


async def test_a_paid_and_a_void_invoice_ask_for_nothing(tenant, browser):
    paid = await an_invoice(tenant, locale="de-DE")
    await pay_by_hand(tenant, paid, 4629)
    page = Page(await browser.get(link_to(tenant, paid.id)))
    assert (page.heading, page.buttons, page.language) == ("Diese Rechnung ist bezahlt", [], "de")
    again = await browser.post(link_to(tenant, paid.id))
    assert again.headers["location"] == link_to(tenant, paid.id)
    assert len(await payments_of(tenant)) == 1


async def test_a_void_invoice_asks_for_nothing(tenant, browser):
    invoice = await an_invoice(tenant)
    async with tenant.tx() as tx:
        await void_invoice(tx, VoidInvoice(invoice_id=invoice.id, reason="sent by mistake"))
    page = Page(await browser.get(link_to(tenant, invoice.id)))
    assert (page.heading, page.buttons) == ("There is nothing to pay", [])
    assert "46.29" not in page.text


async def test_what_is_left_is_asked_for(tenant, browser):
    invoice = await an_invoice(tenant)
    await pay_by_hand(tenant, invoice, 2000)
    page = Page(await browser.get(link_to(tenant, invoice.id)))
    assert "€26.29" in page.text  # 46.29 - 20.00
    await browser.post(link_to(tenant, invoice.id))
    assert (await payments_of(tenant))[0].amount.amount_minor == 2629


async def test_a_payment_that_waits_for_confirmation_leads_there(tenant, browser, sandbox):
    invoice = await an_invoice(tenant)
    providers = PaymentProviders({"sandbox": sandbox})
    async with tenant.tx() as tx:
        attempt = await start_payment(
            tx,
            StartPayment(
                invoice_id=invoice.id,
                amount=Money(4004, currency_of("EUR")),  # the sandbox asks its payer to confirm it
                provider="sandbox",
                method=PaymentMethod.CARD,
            ),
            providers=providers,
        )
    await collect_attempt(tenant.tx, attempt.id, providers=providers, box=BOX)
    page = Page(await browser.get(link_to(tenant, invoice.id)))
    assert page.buttons == ["Confirm the payment"]
    answer = await browser.post(link_to(tenant, invoice.id))
    reference = answer.headers["location"].rpartition("/")[2]
    confirmed = sandbox.page_of(reference)
    assert confirmed is not None
    assert confirmed.state is AttemptState.REQUIRES_ACTION
    assert len(await payments_of(tenant)) == 1


async def test_without_pages_it_says_where_to_transfer_to(tenant, database, tmp_path):
    async with tenant.tx() as tx:
        seller = await the_seller(tx)
        party = replace(seller.party, iban="DE89370400440532013000", bic="COBADEFFXXX")
        await update_seller(tx, replace(seller, party=party))
    invoice = await an_invoice(tenant, locale="de")
    application = application_of(database, discover(), home=tmp_path)
    async with browser_of(application) as browser:
        page = Page(await browser.get(link_to(tenant, invoice.id)))
        answer = await browser.post(link_to(tenant, invoice.id))
    assert page.buttons == []
    for said in ("DE89 3704 0044 0532 0130 00", "COBADEFFXXX", "Verwendungszweck", invoice.number):
        assert said in page.text
    assert answer.headers["location"] == link_to(tenant, invoice.id)
    assert await payments_of(tenant) == []


async def test_without_pages_and_bank_it_says_whom_to_ask(tenant, database, tmp_path):
    invoice = await an_invoice(tenant)
    async with browser_of(application_of(database, discover(), home=tmp_path)) as browser:
        page = Page(await browser.get(link_to(tenant, invoice.id)))
    assert "Please get in touch with us about how to pay." in page.text


@pytest.mark.parametrize("language", ["en", "de"])
async def test_a_link_that_is_wrong_is_no_page(tenant, other_tenant, browser, language):
    invoice = await an_invoice(tenant)
    right = link_to(tenant, invoice.id)
    wrong = [
        right[:-1] + ("A" if right[-1] != "A" else "B"),
        right[:-4],
        link_to(other_tenant, invoice.id),
        link_to(tenant, tenant.id),
        f"{right}/more",
        f"{ADDRESS}/pay/",
        f"{ADDRESS}/pay/{'A' * 64}",
    ]
    headings = {"en": "There is no such page", "de": "Diese Seite gibt es nicht"}
    for link in wrong:
        for method in ("GET", "POST"):
            answer = await browser.request(method, link, headers={"Accept-Language": language})
            page = Page(answer)
            assert (page.status, page.heading) == (404, headings[language]), link
            assert "46.29" not in page.text


async def test_a_provider_that_is_away_is_said_and_can_be_tried_again(
    tenant, browser, sandbox, monkeypatch
):
    invoice = await an_invoice(tenant)

    async def away(_request: object) -> Checkout:
        raise ProviderUnavailable("sandbox")

    with monkeypatch.context() as patch:
        patch.setattr(type(sandbox), "open_checkout", lambda _self, request: away(request))
        answer = await browser.post(link_to(tenant, invoice.id))
    page = Page(answer)
    assert page.status == 503
    assert "did not work just now" in page.text
    assert page.buttons == ["Pay now"]
    assert (await browser.post(link_to(tenant, invoice.id))).status_code == 303


async def test_no_log_line_holds_the_link(tenant, browser):
    invoice = await an_invoice(tenant)
    link = link_to(tenant, invoice.id)
    structlog.reset_defaults()
    with capture_logs() as lines:
        await browser.get(link)
        await browser.post(link)
        await browser.get(f"{link}x")
    requests = [line for line in lines if line["event"] == "request"]
    assert [(line["path"], line["status"]) for line in requests] == [
        ("/pay/", 200),
        ("/pay/", 303),
        ("/pay/", 404),
    ]
    assert {line["route"] for line in requests} == {"/pay/{token}"}
    assert urlsplit(link).path.rpartition("/")[2] not in repr(lines)


async def test_a_page_that_has_expired_is_replaced(tenant, browser, clock):
    invoice = await an_invoice(tenant)
    link = link_to(tenant, invoice.id)
    first = (await browser.post(link)).headers["location"]
    clock.move_to(NOON.replace(hour=14))  # it was open for an hour
    second = (await browser.post(link)).headers["location"]
    assert second.startswith(f"{ADDRESS}/sandbox/")
    assert second != first
    assert [each.state.value for each in await payments_of(tenant)] == ["pending", "canceled"]
