"""Do document numbers look as the seller wants, without a gap or a repetition?"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.invoicing.model import DocumentKind, SeriesRestart
from billwright.features.invoicing.operations.credit_invoice import CreditInvoice, credit_invoice
from billwright.features.invoicing.operations.set_series import SetSeries, set_series
from billwright.features.invoicing.rules.number_template import check_template
from billwright.features.invoicing.rules.numbering import document_number
from billwright.features.invoicing.sql.reads_series import list_series
from billwright.features.tenancy.sql.reads import the_seller
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.tx import Tx
from tests.conftest import Tenant
from tests.features.billing import an_account
from tests.features.invoicing.charging import a_charge, billed


@pytest.mark.parametrize(
    ("template", "yearly"),
    [
        ("INV-{year}-{sequence:05d}", True),
        ("{year2}/{month}/{sequence}", True),
        ("R {sequence}", False),
        ("{sequence:09d}", False),
    ],
)
def test_good_templates(template: str, yearly: bool):
    check_template(template, restarts_yearly=yearly)


@pytest.mark.parametrize(
    ("template", "yearly"),
    [
        ("INV-{year}", True),
        ("INV-{sequence}", True),
        ("INV-{month}-{sequence}", True),
        ("{year}-{sequence}-{sequence}", True),
        ("{year:05d}-{sequence}", True),
        ("{sequence:5}", False),
        ("{sequence:0d}", False),
        ("{sequence!r}", False),
        ("{sequence.real}", False),
        ("{{sequence}}", False),
        ("{0}-{sequence}", False),
        ("№ {sequence}", False),
        ("A\n{sequence}", False),
        (" {sequence}", False),
        ("{sequence", False),
        ("", False),
        ("A" * 31 + "{sequence}", False),
    ],
)
def test_templates_that_make_no_good_numbers(template: str, yearly: bool):
    with pytest.raises(Refusal) as refused:
        check_template(template, restarts_yearly=yearly)
    assert refused.value.code == "series_template_invalid"


parts = st.sampled_from(["INV", "-", "/", ".", "7", "{year}", "{year2}", "{month}"])


@given(
    st.lists(parts, max_size=4),
    st.lists(parts, max_size=4),
    st.sampled_from(["{sequence}", "{sequence:03d}"]),
    st.tuples(st.integers(2000, 2099), st.integers(1, 12), st.integers(1, 9999)),
    st.tuples(st.integers(2000, 2099), st.integers(1, 12), st.integers(1, 9999)),
)
def test_two_places_in_a_series_never_have_one_number(before, behind, sequence, one, other):
    template = "".join([*before, sequence, *behind])
    try:
        check_template(template, restarts_yearly=True)
    except Refusal:
        return
    numbers = [
        document_number(template, year=year, month=month, sequence=count)
        for year, month, count in (one, other)
    ]
    if one[::2] != other[::2]:  # another year or another sequence
        assert numbers[0] != numbers[1]


async def numbered(tx: Tx) -> str | None:
    """The number of a new invoice."""
    return (await billed(tx, await an_account(tx), a_charge(100))).documents[0].number


async def test_the_sequence_goes_on_in_another_form(tenant: Tenant):
    async with tenant.tx() as tx:
        assert await numbered(tx) == "INV-2026-00001"
        series = await set_series(
            tx, SetSeries(kind=DocumentKind.INVOICE, template="R{year2}-{month}-{sequence}")
        )
        assert series.next_number == "R26-01-2"
        assert [await numbered(tx), await numbered(tx)] == ["R26-01-2", "R26-01-3"]


async def test_a_series_that_never_restarts_goes_on_through_the_years(tenant: Tenant, clock):
    async def set_to(template: str, restarts: SeriesRestart) -> None:
        async with tenant.tx() as tx:
            await set_series(
                tx, SetSeries(kind=DocumentKind.INVOICE, template=template, restarts=restarts)
            )

    async with tenant.tx() as tx:
        numbers = [await numbered(tx)]
    await set_to("INV-{year}-{sequence:05d}", SeriesRestart.NEVER)
    async with tenant.tx() as tx:
        numbers += [await numbered(tx), await numbered(tx)]
    clock.move_to(datetime(2027, 3, 1, tzinfo=UTC))
    async with tenant.tx() as tx:
        numbers.append(await numbered(tx))
    # Back to yearly inside the year: the same template would make 2027-00001 a second time otherwise.
    await set_to("INV-{year}-{sequence:05d}", SeriesRestart.YEARLY)
    async with tenant.tx() as tx:
        numbers.append(await numbered(tx))
    clock.move_to(datetime(2028, 3, 1, tzinfo=UTC))
    async with tenant.tx() as tx:
        numbers.append(await numbered(tx))
    assert numbers == [
        "INV-2026-00001",
        "INV-2026-00002",
        "INV-2026-00003",
        "INV-2027-00004",
        "INV-2027-00005",
        "INV-2028-00001",
    ]


async def test_credit_notes_have_a_series_of_their_own(tenant: Tenant):
    async with tenant.tx() as tx:
        await set_series(
            tx, SetSeries(kind=DocumentKind.CREDIT_NOTE, template="G{year}/{sequence}")
        )
        (document,) = (await billed(tx, await an_account(tx), a_charge(100))).documents
        note = await credit_invoice(tx, CreditInvoice(invoice_id=document.id, reason="x"))
    assert (document.number, note.number) == ("INV-2026-00001", "G2026/1")


async def test_two_series_do_not_make_the_same_numbers(tenant: Tenant):
    async with tenant.tx() as tx:
        for template in ("INV-{year}-{sequence:05d}", "INV-20{year2}-{sequence}"):
            with pytest.raises(Refusal) as refused:
                await set_series(tx, SetSeries(kind=DocumentKind.CREDIT_NOTE, template=template))
            assert refused.value.code == "series_template_shared"


async def test_numbers_that_exist_are_not_made_again(tenant: Tenant):
    async with tenant.tx() as tx:
        assert await numbered(tx) == "INV-2026-00001"
        await set_series(tx, SetSeries(kind=DocumentKind.INVOICE, template="R{year}-{sequence}"))
    with pytest.raises(Refusal) as refused:
        async with tenant.tx() as tx:
            template = "INV-{year}-{sequence:05d}"
            await set_series(tx, SetSeries(kind=DocumentKind.CREDIT_NOTE, template=template))
    assert refused.value.code == "series_number_taken"
    async with tenant.tx() as tx:
        seller = await the_seller(tx)
        assert [each.next_number for each in await list_series(tx, seller, on=tx.now.date())] == [
            "R2026-2",
            "CN-2026-00001",
        ]


async def test_series_of_two_tenants_do_not_meet(tenant: Tenant, other_tenant: Tenant):
    async with tenant.tx() as tx:
        await set_series(tx, SetSeries(kind=DocumentKind.INVOICE, template="R{year}-{sequence}"))
        assert await numbered(tx) == "R2026-1"
    async with other_tenant.tx() as tx:
        assert await numbered(tx) == "INV-2026-00001"
