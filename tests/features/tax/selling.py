"""What do tests of taxes start from? A seller somewhere, and buyers elsewhere."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from billwright.features.accounts.model import Account, CustomerType
from billwright.features.catalog.operations.create_plan import NewComponent
from billwright.features.invoicing.model import Invoice
from billwright.features.invoicing.sql.reads import invoice_by_id
from billwright.features.pricing.rules.models.flat import Flat
from billwright.features.tax.model import VatId, VatIdCheck
from billwright.features.tax.operations.request_vat_id_checks import request_vat_id_checks
from billwright.features.tax.port import VatIdAnswer, VatIdRegister
from billwright.features.tax.sql.reads import vat_id_checks
from billwright.features.tenancy.model import Address, Seller, SellerParty
from billwright.features.tenancy.operations.create_tenant import CreateTenant, create_tenant
from billwright.kernel.ids import TenantId, new_id
from billwright.runtime.db.database import Database
from billwright.runtime.db.tx import Tx
from billwright.runtime.queue.registry import Work
from tests.conftest import Tenant
from tests.features.billing import a_plan, a_subscription, an_account

FRENCH_ID = "FR61954506077"
AUSTRIAN_ID = "ATU13585627"


class ScriptedRegister:
    """Answers by number, in turn; the last answer of a number stays, and others are valid."""

    name = "scripted"

    def __init__(self, **answers: list[VatIdAnswer | Exception]) -> None:
        self._answers = answers
        self.asked: list[str] = []

    async def check(self, vat_id: VatId) -> VatIdAnswer:
        self.asked.append(vat_id.number)
        answers = self._answers.get(vat_id.number, [VatIdAnswer.VALID])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def a_seller(database: Database, country: str, **changes: Any) -> Tenant:
    """A tenant whose seller is in a country and has no rates of its own."""
    tenant = Tenant(TenantId(new_id()), database)
    address = Address(line1="Main Street 1", city="Capital", country=country)
    values: dict[str, Any] = {
        "id": new_id(),
        "party": SellerParty(name="Northlight Software", address=address),
        "zone": "Europe/Berlin",
        **changes,
    }
    async with tenant.tx() as tx:
        await create_tenant(
            tx, CreateTenant(code=f"in-{country}", name=country, seller=Seller(**values))
        )
    return tenant


async def a_buyer(tx: Tx, country: str, **changes: Any) -> Account:
    """A consumer somewhere."""
    values = {
        "address": Address(country=country),
        "customer_type": CustomerType.CONSUMER,
        **changes,
    }
    return await an_account(tx, **values)


async def a_business(tx: Tx, country: str, tax_id: str | None = None, **changes: Any) -> Account:
    return await a_buyer(tx, country, customer_type=CustomerType.BUSINESS, tax_id=tax_id, **changes)


async def request_checks(tenant: Tenant, *accounts: Account) -> int:
    async with tenant.tx() as tx:
        return await request_vat_id_checks(tx, accounts)


async def check_of(tenant: Tenant, account: Account) -> VatIdCheck:
    async with tenant.tx() as tx:
        return (await vat_id_checks(tx, [account.id]))[account.id]


def work_with(tenant: Tenant, register: VatIdRegister | None) -> Work:
    return Work(
        name="check_due_vat_ids",
        database=tenant.database,
        tenant_id=tenant.id,
        as_of=tenant.database.clock.now(),
        providers={} if register is None else {VatIdRegister: register},
    )


def flat(code: str, price: str, *, currency: str = "EUR") -> NewComponent:
    return NewComponent(
        code=code, name=code.capitalize(), prices=((currency, Flat(price=Decimal(price))),)
    )


async def an_invoice(
    tenant: Tenant, account: Account, *, now: datetime | None = None, **plan: Any
) -> Invoice:
    """The first invoice of a subscription to a plan of 100.00 EUR a month."""
    code = f"plan-{new_id()}"
    async with tenant.tx(now) as tx:
        await a_plan(tx, code, **{"components": (flat("base", "100.00"),), **plan})
        started = await a_subscription(tx, account, code)
        return await invoice_by_id(tx, started.billed.documents[0].id)
