"""How does an account come to be?"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from billwright.features.accounts.errors import external_id_taken, test_clock_reference_unknown
from billwright.features.accounts.events import AccountCreated
from billwright.features.accounts.model import (
    Account,
    AccountId,
    AccountStatus,
    Collection,
    CustomerType,
    TestClockId,
)
from billwright.features.accounts.rules.billing_day import first_billing_instant
from billwright.features.accounts.sql.reads import clock_time
from billwright.features.accounts.sql.writes import insert_account
from billwright.features.tenancy.model import Address
from billwright.features.tenancy.operations.next_number import next_account_number
from billwright.features.tenancy.sql.reads import the_seller
from billwright.kernel.calendar import require_zone
from billwright.kernel.currency import currency_of
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateAccount:
    """A paying customer; what is left out comes from the seller.

    `billing_day` (1 to 31, the last day of a shorter month) belongs to the collection policy of that
    name, and to no other.
    """

    name: str
    email: str | None = None
    external_id: str | None = None
    customer_type: CustomerType = CustomerType.BUSINESS
    tax_id: str | None = None
    reference: str | None = None
    address: Address = Address()
    currency: str | None = None
    locale: str | None = None
    zone: str | None = None
    payment_terms_days: int | None = None
    collection: Collection = Collection.IMMEDIATE
    billing_day: int | None = None
    test_clock_id: UUID | None = None
    metadata: dict[str, str] = field(default_factory=dict)


async def create_account(tx: Tx, command: CreateAccount) -> Account:
    """Create an account.

    Refuses: `currency_unknown`, `zone_unknown`, `billing_day_mismatch`, `day_of_month_out_of_range`,
    `test_clock_unknown_here`, `external_id_taken`.
    """
    seller = await the_seller(tx)
    if command.test_clock_id is not None:
        clock_now = await clock_time(tx, command.test_clock_id)
        if clock_now is None:
            raise test_clock_reference_unknown(
                pointer="/test_clock_id", test_clock_id=command.test_clock_id
            )
        tx.move_to(clock_now)
    zone = require_zone(command.zone or seller.zone)
    account = Account(
        id=AccountId(new_id()),
        number=await next_account_number(tx),
        external_id=command.external_id,
        status=AccountStatus.ACTIVE,
        name=command.name,
        email=command.email,
        customer_type=command.customer_type,
        tax_id=command.tax_id,
        reference=command.reference,
        address=command.address,
        currency=currency_of(command.currency or seller.currency).code,
        locale=command.locale or seller.locale,
        zone=zone,
        payment_terms_days=command.payment_terms_days,
        collection=command.collection,
        billing_day=command.billing_day,
        next_invoice_at=first_billing_instant(
            tx.now, collection=command.collection, billing_day=command.billing_day, zone=zone
        ),
        has_payment_method=False,
        parked_reason=None,
        test_clock_id=TestClockId(command.test_clock_id) if command.test_clock_id else None,
        metadata=command.metadata,
        version=1,
        created_at=tx.now,
        updated_at=tx.now,
    )
    if not await insert_account(tx, account):
        raise external_id_taken(external_id=command.external_id)
    tx.publish(
        AccountCreated(
            subject_id=account.id,
            account_id=account.id,
            number=account.number,
            external_id=account.external_id,
            name=account.name,
            currency=account.currency,
        )
    )
    tx.audit("account.create", subject_type="account", subject_id=account.id, details=command)
    return account
