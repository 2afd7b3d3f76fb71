"""What do tests of the payer's pages look at? An invoice of 46.29 EUR, its link, and what a page says."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any
from uuid import UUID

import httpx2

from billwright.features.invoicing.model import Invoice
from billwright.features.invoicing.sql.reads import invoice_by_id
from billwright.features.payments.operations.pay_link import PayTarget
from tests.conftest import Tenant
from tests.features.billing import a_plan, a_subscription, an_account
from tests.surfaces.payer_page.conftest import LINKS


async def an_invoice(tenant: Tenant, **account: Any) -> Invoice:
    async with tenant.tx() as tx:
        await a_plan(tx)
        started = await a_subscription(tx, await an_account(tx, **account))
        return await invoice_by_id(tx, started.billed.documents[0].id)


def link_to(tenant: Tenant, invoice_id: UUID) -> str:
    return LINKS.link_to(PayTarget(tenant.id, invoice_id))


class Page(HTMLParser):
    """What a reader sees, and what a page consists of."""

    def __init__(self, answer: httpx2.Response) -> None:
        super().__init__()
        self.status = answer.status_code
        self.text, self.heading, self.language = "", "", ""
        self.buttons: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self._inside: list[str] = []
        self.feed(answer.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self._inside.append(tag)
        self.language = self.language or dict(attrs).get("lang") or ""

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "style" in self._inside:
            return
        self.text += data
        if "h1" in self._inside:
            self.heading += data
        if "button" in self._inside:
            self.buttons.append(data)
