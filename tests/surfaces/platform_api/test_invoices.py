"""Is the document that a customer gets the invoice, the same every time?"""

from __future__ import annotations

from io import BytesIO
from uuid import UUID

import httpx2
from pypdf import PdfReader

from tests.conftest import Tenant
from tests.surfaces.platform_api.requests import created, got, invoice_ids_of, subscribed


async def test_the_same_document_is_the_same_bytes(client: httpx2.AsyncClient):
    (invoice_id,) = invoice_ids_of(await subscribed(client))
    first = await client.get(f"/invoices/{invoice_id}/pdf")
    again = await client.get(f"/invoices/{invoice_id}/pdf")
    assert first.content == again.content
    assert first.headers["ETag"] == again.headers["ETag"]

    known = await client.get(
        f"/invoices/{invoice_id}/pdf", headers={"If-None-Match": first.headers["ETag"]}
    )
    assert (known.status_code, known.content) == (304, b"")


async def test_a_paid_invoice_says_so_in_a_new_document(client: httpx2.AsyncClient):
    (invoice_id,) = invoice_ids_of(await subscribed(client))
    invoice = await got(client, f"/invoices/{invoice_id}")
    open_document = await client.get(f"/invoices/{invoice_id}/pdf")
    await created(client, "/payments", {"invoice_id": invoice_id, "amount": invoice["due"]})
    paid_document = await client.get(
        f"/invoices/{invoice_id}/pdf", headers={"If-None-Match": open_document.headers["ETag"]}
    )
    assert paid_document.status_code == 200
    text = PdfReader(BytesIO(paid_document.content)).pages[0].extract_text()
    assert "Riverbank Books" in text
    assert "Northlight Software GmbH" in text


async def test_the_file_is_named_after_the_invoice(client: httpx2.AsyncClient):
    (invoice_id,) = invoice_ids_of(await subscribed(client))
    number = (await got(client, f"/invoices/{invoice_id}"))["number"]
    response = await client.get(f"/invoices/{invoice_id}/pdf")
    assert response.headers["Content-Disposition"] == f'attachment; filename="{number}.pdf"'
    assert response.headers["Cache-Control"] == "private, no-cache"


async def test_a_draft_has_no_document(client: httpx2.AsyncClient, tenant: Tenant):
    (invoice_id,) = invoice_ids_of(await subscribed(client))
    draft_id = UUID(int=UUID(invoice_id).int + 1)
    async with tenant.tx() as tx:
        await tx.execute(
            """insert into invoice (tenant_id, id, account_id, state, series_id, currency,
                   subtotal_minor, tax_minor, total_minor, paid_minor, taxes, tax_treatment,
                   tax_country, tax_code, seller_party_id, buyer_party_id, locale, zone, reference,
                   line_count, version, created_at, updated_at)
               select tenant_id, $2, account_id, 'draft', series_id, currency, 0, 0, 0, 0, '[]',
                   tax_treatment, tax_country, tax_code, seller_party_id, buyer_party_id, locale, zone,
                   reference, 0, 1, $3, $3
               from invoice where id = $1""",
            UUID(invoice_id),
            draft_id,
            tx.now,
        )
    response = await client.get(f"/invoices/{draft_id}/pdf")
    assert (response.status_code, response.json()["code"]) == (409, "invoice_without_document")
    draft = await got(client, f"/invoices/{draft_id}")
    assert (draft["number"], draft["state"], draft["lines"]) == (None, "draft", [])
