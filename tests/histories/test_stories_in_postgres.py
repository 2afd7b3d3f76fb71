"""Do the books add up after any story, and does a rehearsal foretell every command?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from billwright.features.accounts.model import Collection
from billwright.features.catalog.model import PlanVersion
from billwright.features.invoicing.model import DocumentKind, Invoice, InvoiceState
from billwright.features.invoicing.operations.credit_invoice import CreditInvoice, credit_invoice
from billwright.features.invoicing.operations.invoice_pending_charges import (
    InvoicePendingCharges,
    invoice_pending_charges,
)
from billwright.features.promotions.model import Promotion
from billwright.features.promotions.operations.create_promotion import (
    CreatePromotion,
    create_promotion,
)
from billwright.kernel.ids import new_id
from billwright.kernel.money import Rounding
from billwright.kernel.proration import Granularity
from billwright.kernel.refusal import Refusal
from billwright.runtime.clock import FixedClock
from tests.conftest import Tenant, make_tenant
from tests.histories.books import check_documents
from tests.histories.commands import commands
from tests.histories.life import plan_in_words
from tests.histories.plans import CURRENCIES, STARTS, ZONES, plans, promotions
from tests.histories.profile import histories
from tests.histories.requests import NAMES
from tests.histories.story import Story, begun_story

SELLERS = st.builds(
    dict,
    proration_granularity=st.sampled_from((Granularity.SECOND, Granularity.DAY)),
    rounding=st.sampled_from((Rounding.HALF_UP, Rounding.HALF_EVEN)),
    minimum_invoice=st.sampled_from(({}, {"EUR": 2000})),
)
ACCOUNTS = st.builds(
    lambda zone, currency, day: {
        "zone": zone,
        "currency": currency,
        "collection": Collection.BILLING_DAY if day else Collection.IMMEDIATE,
        "billing_day": day,
    },
    st.sampled_from(ZONES),
    st.sampled_from(CURRENCIES),
    st.sampled_from((None, None, 31)),
)


@dataclass(frozen=True, slots=True)
class Scene:
    """Who sells what to whom, and from when on."""

    start: datetime
    plans: tuple[PlanVersion, ...]
    seller: dict[str, Any]
    account: dict[str, Any]
    promotion: Promotion | None

    def _repr_pretty_(self, printer: Any, _: bool) -> None:
        plans = "; ".join(
            f"{plan_in_words(plan, currency=self.account['currency'])} {plan.tax_inclusive=}"
            for plan in self.plans
        )
        printer.text(f"{self.start} {plans} {self.seller} {self.account} {self.promotion}")


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """Any of them."""
    account = draw(ACCOUNTS)
    sold = draw(plans())
    inclusive = draw(st.integers(0, 7))
    return Scene(
        start=draw(st.sampled_from(STARTS)),
        plans=tuple(
            replace(plan, tax_inclusive=bool(inclusive >> place & 1))
            for place, plan in enumerate(sold)
        ),
        seller=draw(SELLERS),
        account=account,
        promotion=draw(st.none() | promotions(account["currency"])),
    )


@given(scene=scenes(), told=st.lists(commands(NAMES), min_size=1, max_size=9))
@histories(short=12, long=1_000)
async def test_the_books_add_up_after_any_story(scene, told, database, clock):
    clock.move_to(scene.start)
    tenant = await make_tenant(database, f"tenant-{new_id()}")
    story = await begun_scene(tenant, clock, scene)
    for command in told:
        await story.tell(command)
        await check_documents(tenant)
    await _give_all_back(story)
    await check_documents(tenant)


async def begun_scene(tenant: Tenant, clock: FixedClock, scene: Scene) -> Story:
    """The story of a scene, at its beginning."""
    codes: tuple[str, ...] = ()
    if scene.promotion is not None:
        async with tenant.tx() as tx:
            await create_promotion(tx, _offered(scene.promotion))
        codes = ("SPRING",)
    return await begun_story(
        tenant,
        clock,
        scene.plans,
        seller=scene.seller,
        account=scene.account,
        subscription={"quantities": _units(scene.plans[0]), "promotion_codes": codes},
    )


async def _give_all_back(story: Story) -> None:
    """What is credited to the last is credited exactly, net and tax of each invoice: the last note takes
    the residue. Only a document that charges other things too has its tax rounded on its own total, and
    may so differ by one unit.
    """
    async with story.tenant.tx() as tx:
        await invoice_pending_charges(tx, InvoicePendingCharges(story.account.id))
    for invoice in await story.invoices():
        if invoice.kind is DocumentKind.INVOICE and invoice.state is not InvoiceState.VOID:
            await _give_back(story, invoice)
    async with story.tenant.tx() as tx:
        left = await tx.fetch(
            """select i.number, c.rate, c.own, c.tax, k.given, k.given_tax
               from invoice i
               cross join lateral (
                   select c.tax_rate as rate, c.tax_inclusive as inclusive,
                          sum(c.amount_minor) as own, sum(c.tax_minor) as tax
                   from charge c where c.invoice_id = i.id and c.corrects_charge_id is null
                   group by c.tax_rate, c.tax_inclusive) as c
               cross join lateral (
                   select coalesce(-sum(k.amount_minor), 0) as given,
                          coalesce(-sum(k.tax_minor), 0) as given_tax,
                          count(distinct n.id) filter (where exists (
                              select from charge x where x.invoice_id = n.id
                                  and x.corrects_charge_id is null)) as mixed
                   from charge k join charge o on o.id = k.corrects_charge_id
                   left join invoice n on n.id = k.invoice_id
                   where o.invoice_id = i.id and o.corrects_charge_id is null
                       and o.tax_rate = c.rate and o.tax_inclusive = c.inclusive
                       and n.state is distinct from 'void') as k
               where i.kind = 'invoice' and i.state <> 'void' and i.number is not null
                   and not exists (select from charge l where l.invoice_id = i.id
                                   and l.corrects_charge_id is not null)
                   and (c.own <> k.given or abs(c.tax - k.given_tax) > k.mixed)"""
        )
    assert left == [], [dict(row) for row in left]


async def _give_back(story: Story, invoice: Invoice) -> None:
    try:
        async with story.tenant.tx() as tx:
            await credit_invoice(tx, CreditInvoice(invoice_id=invoice.id, reason="All of it"))
    except Refusal as refusal:
        assert refusal.code in {"nothing_to_credit", "state_forbids"}, refusal


def _offered(promotion: Promotion) -> CreatePromotion:
    return CreatePromotion(
        code="SPRING",
        name="Spring",
        kind=promotion.kind,
        percent=promotion.percent,
        amount_minor=promotion.amount_minor,
        currency=promotion.currency,
        count=promotion.count,
        duration=promotion.duration,
        duration_periods=promotion.duration_periods,
    )


def _units(plan: PlanVersion) -> dict[str, Decimal]:
    return {one.code: Decimal(2) for one in plan.components if not one.optional}
