"""How does a payer pay an invoice that a message leads them to?"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from billwright.features.accounts.model import Account
from billwright.features.accounts.sql.reads import account_by_id
from billwright.features.invoicing.model import Invoice
from billwright.features.invoicing.sql.reads import invoice_by_id, party_data
from billwright.features.notifications.messages import (
    amount_label,
    day_label,
    language_of,
    sender_of,
)
from billwright.features.payments.operations.open_page import OpenPage, open_page
from billwright.features.payments.operations.page_urls import live_page_url
from billwright.features.payments.operations.pay_link import PayLinks, PayTarget, page_provider
from billwright.features.payments.rules.payer_view import PayerView, payer_view
from billwright.features.payments.sql.reads import live_attempt_of
from billwright.features.tenancy.model import SellerParty
from billwright.features.tenancy.sql.reads import the_seller
from billwright.kernel.actor import system_actor
from billwright.kernel.money import Money
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.tx import Tx
from billwright.surfaces.payer_page.rendering import page
from billwright.surfaces.payer_page.texts import TEXTS, PageTexts
from billwright.surfaces.web.wiring import Wiring

# Long enough to fetch a card from another room; no other attempt is made meanwhile.
_OPEN_FOR = timedelta(hours=1)
_MOST_REFRESHES = 12
_COMES_BACK = "returned"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Visit:
    """A link that is right, and what it works with."""

    target: PayTarget
    links: PayLinks
    wiring: Wiring
    returned: int

    def tx(self) -> AbstractAsyncContextManager[Tx]:
        """A transaction in the payer's name."""
        return self.wiring.database.tx(
            self.target.tenant_id, actor=system_actor("payer"), cause="pay_page"
        )


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the page is about; `printed` is what the invoice says of its seller, whose bank account may
    be another by now: a page that differs from the paper would look like a fraud.
    """

    invoice: Invoice
    account: Account
    seller: SellerParty
    view: PayerView
    printed: Mapping[str, object]


async def show(request: Request) -> Response:
    """Only looks: whatever opens links in mails by itself changes nothing."""
    visit = _visit(request)
    return _page(visit, await _look(visit))


async def pay(request: Request) -> Response:
    """Send the payer to where they pay or confirm, or show why there is nothing to be done."""
    visit = _visit(request)
    seen = await _look(visit)
    try:
        url = await _place_to_pay(visit, seen)
    except Refusal as refusal:
        _log.warning("no page to pay on", invoice_id=str(seen.invoice.id), code=refusal.code)
        return _page(visit, await _look(visit), status=503)
    return RedirectResponse(url or visit.links.link_to(visit.target), 303)


def _visit(request: Request) -> _Visit:
    wiring: Wiring = request.app.state.wiring
    links = PayLinks(request.app.state.settings.public_url, wiring.secret_box)
    target = links.target_of(request.path_params["token"])
    if target is None:
        raise HTTPException(404)
    returned = request.query_params.get(_COMES_BACK, "")[:2]
    return _Visit(target, links, wiring, int(returned) if returned.isdecimal() else 0)


async def _look(visit: _Visit) -> _Seen:
    async with visit.tx() as tx:
        invoice = await invoice_by_id(tx, visit.target.invoice_id)
        view = payer_view(
            invoice,
            await live_attempt_of(tx, invoice.id),
            pages_offered=page_provider(visit.wiring.payment_providers) is not None,
            comes_back=visit.returned > 0,
        )
        if view is PayerView.UNKNOWN:
            raise HTTPException(404)
        account, seller = await account_by_id(tx, invoice.account_id), await the_seller(tx)
        printed: Mapping[str, object] = {}
        if view is PayerView.TO_TRANSFER and invoice.seller_party_id is not None:
            parties = await party_data(tx, [invoice.seller_party_id])
            printed = parties[invoice.seller_party_id]
        return _Seen(invoice, account, seller.party, view, printed)


async def _place_to_pay(visit: _Visit, seen: _Seen) -> str | None:
    """The page of the provider; none where there is nothing to do there."""
    if seen.view is PayerView.TO_CONFIRM:
        async with visit.tx() as tx:
            url = await live_page_url(tx, seen.invoice.id, box=visit.wiring.secret_box)
        if url is not None:
            return url
    elif seen.view is not PayerView.TO_PAY:
        return None
    providers, back = visit.wiring.payment_providers, visit.links.link_to(visit.target)
    opened = await open_page(
        visit.tx,
        OpenPage(
            invoice_id=seen.invoice.id,
            success_url=f"{back}?{_COMES_BACK}=1",
            cancel_url=back,
            saves_method=True,
            provider=page_provider(providers),
            expires_in=_OPEN_FOR,
        ),
        providers=providers,
        box=visit.wiring.secret_box,
    )
    return opened.url


def _page(visit: _Visit, seen: _Seen, *, status: int = 200) -> Response:
    invoice, locale, view = seen.invoice, seen.account.locale, seen.view
    words = TEXTS[language_of(locale)]
    heading, explanation = words.said[view]
    transfer = _transfer(seen, words) if view is PayerView.TO_TRANSFER else []
    if view is PayerView.TO_TRANSFER and not transfer:
        explanation = words.without_bank
    label = partial(amount_label, locale=locale)
    is_due = view not in {PayerView.PAID, PayerView.NOTHING_DUE}
    # A payer who waits looks again by themselves, for a minute.
    refreshes = view is PayerView.PAYING and visit.returned < _MOST_REFRESHES
    return page(
        "invoice.html",
        language=language_of(locale),
        sends_to=f"'self' https: {_origin(visit.links.public_url)}",
        status=status,
        words=words,
        sender=sender_of(seen.seller),
        problem=status != 200,
        is_settled=view is PayerView.PAID,
        heading=heading,
        explanation=explanation,
        amount=label(Money(invoice.due_minor, invoice.currency)) if is_due else None,
        number=invoice.number,
        due_on=day_label(invoice.due_on, locale=locale) if is_due and invoice.due_on else None,
        action={PayerView.TO_PAY: words.pay, PayerView.TO_CONFIRM: words.confirm}.get(view),
        transfer=transfer,
        refresh_to=f"?{_COMES_BACK}={visit.returned + 1}" if refreshes else None,
        again_url=visit.links.link_to(visit.target) if view is PayerView.PAYING else None,
    )


def _transfer(seen: _Seen, words: PageTexts) -> list[tuple[str, str]]:
    """Where to transfer to, as the invoice prints it."""
    holder, iban, bic, bank = (
        str(seen.printed.get(name) or "") for name in ("name", "iban", "bic", "bank_name")
    )
    if not iban:
        return []
    compact = iban.replace(" ", "")
    grouped = " ".join(compact[start : start + 4] for start in range(0, len(compact), 4))
    rows = (
        (words.holder, holder),
        (words.iban, grouped),
        (words.bic, bic),
        (words.bank, bank),
        (words.reference, seen.invoice.number or ""),
    )
    return [(label, value) for label, value in rows if value]


def _origin(url: str) -> str:
    """The installation itself, where it is reached by another name than the one it goes by."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
