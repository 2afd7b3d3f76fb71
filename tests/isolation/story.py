"""What does a tenant do that leaves a row in every table?"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from billwright.features.accounts.operations.create_test_clock import create_test_clock
from billwright.features.identity.operations.create_api_key import create_api_key
from billwright.features.invoicing.events import InvoiceFinalized
from billwright.features.invoicing.operations.grant_credit import ChangeCredit, grant_credit
from billwright.features.promotions.model import PromotionKind
from billwright.features.promotions.operations.create_promotion import (
    CreatePromotion,
    create_promotion,
)
from billwright.features.tax.operations.request_vat_id_checks import request_vat_id_checks
from billwright.features.usage.model import NewUsage
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.runtime.db.idempotency import NamedRequest, StoredResponse, claim, store
from billwright.runtime.queue.reacting import react
from billwright.runtime.queue.registry import Registry
from tests.conftest import Tenant
from tests.features.billing import a_plan, a_subscription, an_account
from tests.features.payments.paying import pay, reserve
from tests.features.usage.recording import RecordUsage, record_usage
from tests.isolation.story_accounts import note_and_name
from tests.isolation.story_callbacks import be_told
from tests.isolation.story_counts import be_counted
from tests.isolation.story_dunning import miss_a_payment
from tests.isolation.story_entitlements import agree_on_more
from tests.isolation.story_methods import leave_method
from tests.isolation.story_refunds import refund_and_dispute
from tests.isolation.story_reservations import buy_more_and_reserve
from tests.isolation.story_restrictions import be_restricted
from tests.isolation.story_reviews import differ_and_reconcile
from tests.isolation.story_sessions import sign_out
from tests.isolation.story_trials import try_and_leave
from tests.isolation.story_usage import use_and_end
from tests.isolation.story_users import let_in
from tests.isolation.story_webhooks import listen


async def live(tenant: Tenant, registry: Registry) -> None:
    """A customer subscribes with a promotion and pays in part; a message about the invoice is asked
    for, and it is given credit.
    """
    request = NamedRequest(key="order-1", digest=b"digest", operation="create")
    async with tenant.tx() as tx:
        assert await claim(tx, request) is None
        await create_api_key(tx, name="platform")
        clock = await create_test_clock(tx, name="trial run", now=tx.now + timedelta(days=1))
        await a_plan(tx)
        await store(tx, request, response=StoredResponse(201, b"{}"))
    async with tenant.tx() as tx:
        await an_account(tx, name="Traveler", test_clock_id=clock.id)
    async with tenant.tx() as tx:
        account = await an_account(
            tx, email="books@riverbank.example", external_id="crm-7", tax_id="DE136695976"
        )
        await request_vat_id_checks(tx, [account])
        await create_promotion(
            tx,
            CreatePromotion(
                code="SPRING", name="Spring", kind=PromotionKind.PERCENTAGE, percent=Decimal(10)
            ),
        )
        started = await a_subscription(
            tx, account, external_id="order-7", promotion_codes=("SPRING",)
        )
        euros = Money(500, currency_of("EUR"))
        await grant_credit(tx, ChangeCredit(account_id=account.id, amount=euros, reason="Sorry"))
        one_call = NewUsage(
            source="api",
            event_id="1",
            meter="api_calls",
            quantity=Decimal(1),
            occurred_at=tx.now,
        )
        await record_usage(
            tx,
            RecordUsage(
                account_id=account.id, subscription_id=started.subscription.id, events=(one_call,)
            ),
        )
    await use_and_end(tenant, account.id)
    await try_and_leave(tenant, account.id)
    await leave_method(tenant, account.id)
    await agree_on_more(tenant, account.id)
    await buy_more_and_reserve(tenant, account.id, subscription_id=started.subscription.id)
    await be_restricted(tenant, account.id)
    await _announce(tenant, registry)
    await differ_and_reconcile(tenant, account.id)
    await refund_and_dispute(tenant)
    await be_told(tenant)
    await be_counted(tenant)
    await listen(tenant)
    await note_and_name(tenant)
    await let_in(tenant)
    await sign_out(tenant)
    invoice = started.billed.documents[0]
    await miss_a_payment(tenant, invoice.id, account_id=account.id)
    await reserve(tenant, pay(invoice, 1000))


async def _announce(tenant: Tenant, registry: Registry) -> None:
    reaction = registry.reactions_to(InvoiceFinalized)[0]
    async with tenant.tx() as tx:
        events = await tx.fetch("select id from event where type = $1", InvoiceFinalized.type)
    payload = {"reaction": reaction.name, "events": [str(row["id"]) for row in events]}
    await react(tenant.database, registry, tenant_id=tenant.id, payload=payload)
