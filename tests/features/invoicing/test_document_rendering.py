"""Is the PDF complete, correct, whole and the same every time?"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from billwright.features.invoicing.document import DocumentStamp, InvoiceDocument
from billwright.features.invoicing.port import InvoiceRenderer
from billwright.kernel.money import Money
from billwright.providers.document.typst.renderer import TypstInvoiceRenderer
from tests.features.invoicing.document_samples import (
    sample_credit_note,
    sample_document,
    sample_inclusive_document,
    with_description,
)

MARKUP = (
    r"""#panic("x") $x^2$ *bold* _it_ @ref <lab> \ ] [ { } ` "q" 'q' // c #{import "x"} \u{41}"""
)


@pytest.fixture(scope="module")
def renderer() -> InvoiceRenderer:
    return TypstInvoiceRenderer()


def read(renderer: InvoiceRenderer, document: InvoiceDocument) -> PdfReader:
    return PdfReader(BytesIO(renderer.render(document)))


def page_texts(renderer: InvoiceRenderer, document: InvoiceDocument) -> list[str]:
    """With every kind of space as one, since lines and no-break spaces are the layout's business."""
    return [" ".join(page.extract_text().split()) for page in read(renderer, document).pages]


def text_of(renderer: InvoiceRenderer, document: InvoiceDocument) -> str:
    return " ".join(page_texts(renderer, document))


def test_everything_that_belongs_on_an_invoice_is_on_it(renderer):
    text = text_of(renderer, sample_document())
    for expected in (
        "Invoice INV-2026-0042",
        "Example Cloud GmbH · Beispielstraße 12 · 10115 Berlin",
        "Sample Studio Ltd",
        "Jane Sample",
        "United Kingdom",
        "Nov 22, 2026",
        "Dec 6, 2026",
        "Nov 1 \u2013 30, 2026",
        "C-10234",
        "SUB-7731",
        "PO-118",
        "GB123456789",
        "Team plan 1",
        "Billed in advance",
        "Net (EUR)",
        "1,234.50",
        "-9.50",
        "VAT 19% on €1,225.00",
        "€232.75",
        "€1,457.75",
        "Payable within 14 days.",
        "DE89 3704 0044 0532 0130 00",
        "COBADEFFXXX",
        "Amtsgericht Berlin HRB 123456",
        "DE123456789",
        "30/123/45678",
        "Geschäftsführung: Erika Mustermann",
        "Page 1 of 1",
    ):
        assert expected in text


def test_german(renderer):
    text = text_of(renderer, sample_document(locale="de"))
    for expected in (
        "Rechnung INV-2026-0042",
        "Leistungszeitraum 1.\u201330. Nov. 2026",
        "1.457,75 € fällig am 6. Dezember 2026",
        "USt. 19 % auf 1.225,00 €",
        "Vereinigtes Königreich",
        "Zu zahlen 1.457,75 €",
        "Seite 1 von 1",
    ):
        assert expected in text


@pytest.mark.parametrize(
    ("code", "locale", "total"),
    [
        ("USD", "en", "$1,457.75"),
        ("USD", "de", "1.457,75 $"),
        ("JPY", "en", "¥145,775"),
        ("KWD", "de", "145,775 KWD"),
        ("KWD", "en", "KWD 145.775"),
        ("EUR", "en-GB", "€1,457.75"),
        ("EUR", "de-AT", "€ 1.457,75"),
        ("EUR", "xx-nonsense", "€1,457.75"),
        ("EUR", "fr", "€1,457.75"),
        # CLDR hides the fils of the Iraqi dinar; ISO 4217 keeps three decimals.
        ("IQD", "en", "IQD 145.775"),
    ],
)
def test_amounts_follow_currency_and_language(renderer, code, locale, total):
    assert f" {total}" in text_of(renderer, sample_document(code=code, locale=locale))


def test_prices_quantities_and_rates_keep_what_they_mean(renderer):
    document = sample_document(nets=(32113,))
    line = replace(
        document.lines[0],
        quantity=Decimal("1284500.2500"),
        unit_price=Decimal("0.00025000"),
        tax_rate=Decimal("0.0550"),
        unit_name="requests",
    )
    text = text_of(renderer, replace(document, lines=(line,)))
    assert "1,284,500.25 requests 0.00025 5.5% 321.13" in text


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        (
            "en",
            (
                "Credit note CN-2026-0003",
                "For invoice INV-2026-0041",
                "Total €119.00",
                "Taken off the invoice €19.00",
                "Added to your credit balance €60.00",
                "To be refunded €40.00",
                "We are sorry for the outage in November.",
            ),
        ),
        (
            "de",
            (
                "Rechnungskorrektur CN-2026-0003",
                "Zu Rechnung INV-2026-0041",
                "Gesamtbetrag 119,00 €",
                "Von der Rechnung abgezogen 19,00 €",
                "Ihrem Guthaben hinzugefügt 60,00 €",
                "Wird erstattet 40,00 €",
            ),
        ),
    ],
)
def test_a_credit_note_says_what_it_gives_back_and_where_that_goes(renderer, locale, expected):
    text = text_of(renderer, sample_credit_note(locale=locale))
    for each in expected:
        assert each in text
    for absent in ("Amount due", "Zu zahlen", "Account holder", "-€", "-119"):
        assert absent not in text


def test_prices_with_tax_are_shown_as_they_were_agreed(renderer):
    text = text_of(renderer, sample_inclusive_document())
    for expected in (
        "Gross (EUR)",
        "2 seat 59.50 19% 100.00",
        "Discount -€19.00",
        "Total without VAT €84.03",
        "VAT 19% on €84.03 €15.97",
        "Total €100.00",
        "From your credit balance -€25.00",
        "Credited -€10.00",
        "Paid -€15.00",
        "Amount due €50.00",
        "Prices include VAT.",
    ):
        assert expected in text


def test_prices_with_and_without_tax_are_told_apart(renderer):
    document = sample_document(nets=(10000, 10000))
    with_tax = replace(document.lines[1], gross=Money(11900, document.currency))
    text = text_of(renderer, replace(document, lines=(document.lines[0], with_tax)))
    assert "Amount (EUR)" in text
    assert text.count("Price includes VAT") == 1
    assert "Prices include VAT" not in text


def test_a_line_that_takes_back_names_the_invoice(renderer):
    document = sample_document()
    line = replace(document.lines[1], corrected_number="INV-2026-0007")
    text = text_of(renderer, replace(document, lines=(document.lines[0], line)))
    assert "For invoice INV-2026-0007" in text


def test_a_void_invoice_says_so_across_the_page_and_asks_for_nothing(renderer):
    document = replace(sample_document(nets=(1000,) * 30), stamp=DocumentStamp.VOID)
    totals = replace(document.totals, amount_due=Money.zero(document.currency))
    pages = page_texts(renderer, replace(document, totals=totals, due_on=None))
    assert len(pages) > 1
    assert all("VOID" in page for page in pages)
    assert not any("Account holder" in page for page in pages)


def test_a_paid_invoice_says_so_and_asks_for_nothing(renderer):
    document = sample_document()
    paid = replace(
        document,
        stamp=DocumentStamp.PAID,
        totals=replace(
            document.totals,
            paid=document.totals.total,
            amount_due=Money.zero(document.currency),
        ),
    )
    text = text_of(renderer, paid)
    assert "PAID" in text
    assert "Paid -€1,457.75" in text
    assert "Amount due €0.00" in text
    assert "Account holder" not in text


def test_sixty_lines_repeat_the_heading_and_number_the_pages(renderer):
    pages = page_texts(renderer, sample_document(nets=(1000,) * 60))
    assert len(pages) > 2
    for number, page in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in page
        assert "Amtsgericht Berlin HRB 123456" in page
        assert "No. Description Quantity" in page
    assert "Team plan 60" in pages[-1]
    assert "Subtotal €600.00" in pages[-1]
    assert "Amount due €714.00" in pages[-1]


@pytest.mark.parametrize("count", range(5, 17))
def test_totals_stand_together_below_a_line_and_no_line_is_torn(renderer, count):
    document = sample_document(nets=(1000,) * count)
    pages = page_texts(renderer, document)
    (page,) = [page for page in pages if "Subtotal" in page]
    assert "Amount due" in page
    assert f"Team plan {count} " in page
    for line in document.lines:
        (home,) = [page for page in pages if f"{line.description} " in page]
        after = home.split(f"{line.description} ", 1)[1]
        assert after.startswith("Nov 1 \u2013 30, 2026 Billed in advance")


def test_a_description_longer_than_a_page_continues_on_the_next(renderer):
    words = " ".join(f"word{number}" for number in range(1500))
    pages = page_texts(renderer, with_description(sample_document(), words))
    assert len(pages) >= 2
    text = " ".join(pages)
    assert "word0 " in text
    assert "word1499 " in text
    assert "Amount due €1,457.75" in text
    assert "Payment Payable within 14 days. Account holder" in text


def test_a_long_word_breaks_and_can_be_copied_out(renderer):
    word = "W" * 200
    pages = read(renderer, with_description(sample_document(), word)).pages
    pieces = re.findall("W{9,}", pages[0].extract_text())
    assert len(pieces) > 2
    assert "".join(pieces) == word


def test_text_is_never_markup(renderer):
    document = sample_document()
    document = replace(
        with_description(document, MARKUP),
        buyer=replace(document.buyer, name=MARKUP),
        payment_terms=MARKUP,
        tax_note=MARKUP,
        number='#1 "x" ]',
    )
    text = text_of(renderer, document)
    assert "".join(text.split()).count("".join(MARKUP.split())) == 4
    assert 'Invoice #1 "x" ]' in text


@pytest.mark.parametrize("word", ["Ελλάδα", "Россия", "Łódź Việt", "שלום", "مرحبا"])
def test_covered_scripts(renderer, word):
    assert "\ufffd" not in text_of(renderer, with_description(sample_document(), word))


@pytest.mark.parametrize("word", ["東京", "김철수", "🎉👨‍👩‍👧", "\ud800"])
def test_what_no_font_has_is_shown_as_replaced(renderer, word):
    text = text_of(renderer, with_description(sample_document(), f"before {word} after"))
    assert "before \ufffd" in text
    assert " after" in text


def test_controls_and_overrides_do_not_reach_the_page(renderer):
    text = text_of(renderer, with_description(sample_document(), "a\x00b\u202ec\u202c\td"))
    assert "a bc d" in text


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(max_size=60))
def test_no_text_can_make_rendering_fail(renderer, text):
    document = with_description(sample_document(), text)
    document = replace(document, buyer=replace(document.buyer, name=text))
    assert renderer.render(document).startswith(b"%PDF-")


def test_the_same_document_gives_the_same_bytes(renderer):
    document = sample_document()
    first = renderer.render(document)
    renderer.render(sample_document(locale="de"))
    assert renderer.render(document) == first
    assert TypstInvoiceRenderer().render(document) == first


def test_threads_share_one_renderer(renderer):
    document = sample_document()
    with ThreadPoolExecutor(4) as pool:
        results = set(pool.map(lambda _: renderer.render(document), range(12)))
    assert len(results) == 1


def test_metadata_and_standard(renderer):
    pdf = read(renderer, replace(sample_document(locale="de"), issued_on=date(2026, 1, 2)))
    assert pdf.metadata.title == "Rechnung INV-2026-0042"
    assert pdf.metadata.author == "Example Cloud GmbH"
    assert pdf.metadata.creation_date == datetime(2026, 1, 2, tzinfo=UTC)
    assert str(pdf.root_object["/Lang"]).startswith("de")
    conformance = pdf.root_object["/Metadata"].get_data().decode()
    assert "<pdfaid:part>3</pdfaid:part>" in conformance
    assert "<pdfaid:conformance>B</pdfaid:conformance>" in conformance
    assert [round(float(side)) for side in pdf.pages[0].mediabox[2:]] == [595, 842]
