"""What does the database know of accounts?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict, Unpack
from uuid import UUID

import asyncpg

from billwright.features.accounts.errors import account_unknown, test_clock_unknown
from billwright.features.accounts.model import (
    Account,
    AccountId,
    AccountStatus,
    AccountTime,
    Collection,
    CustomerType,
    TestClock,
    TestClockId,
    TestClockState,
)
from billwright.features.tenancy.model import Address
from billwright.runtime.db.conditions import Conditions
from billwright.runtime.db.json import from_json
from billwright.runtime.db.tx import Tx

ACCOUNT_COLUMNS = """a.id, a.number, a.external_id, a.status, a.name, a.email, a.customer_type, a.tax_id,
    a.reference, a.address, a.currency, a.locale, a.zone, a.payment_terms_days, a.collection,
    a.billing_day, a.next_invoice_at, a.has_payment_method, a.parked_reason, a.test_clock_id, a.metadata,
    a.version, a.created_at, a.updated_at"""

# Said in the words of the indexes: a parameter in their place would hide that they serve.
_OF_STATUS: dict[AccountStatus | None, str] = {
    AccountStatus.ACTIVE: "a.status = 'active'",
    AccountStatus.CLOSED: "a.status = 'closed'",
}
_OF_PARKED: dict[bool | None, str] = {
    True: "a.parked_reason is not null",
    False: "a.parked_reason is null",
}

# Looking a word up is quicker than asking its enumeration.
_STATUSES = {str(status): status for status in AccountStatus}
_CUSTOMER_TYPES = {str(kind): kind for kind in CustomerType}
_COLLECTIONS = {str(collection): collection for collection in Collection}


async def account_by_id(tx: Tx, account_id: UUID) -> Account:
    """One account. Refuses: `account_unknown`."""
    row = await tx.fetch_row(
        f"select {ACCOUNT_COLUMNS} from account a where a.tenant_id = $1 and a.id = $2",
        tx.tenant_id,
        account_id,
    )
    if row is None:
        raise account_unknown(account_id=account_id)
    return account_from_row(row)


class AccountFilter(TypedDict, total=False):
    """Which accounts are asked for; instants are from the first one on and up to the second one."""

    external_id: str | None
    email: str | None
    status: AccountStatus | None
    parked: bool | None
    test_clock_id: UUID | None
    created_after: datetime | None
    created_before: datetime | None
    metadata: dict[str, str] | None


async def list_accounts(
    tx: Tx, *, before: UUID | None, limit: int, **asked: Unpack[AccountFilter]
) -> list[Account]:
    """Accounts, newest first, that come after the one named `before` in that order."""
    found = Conditions("a.tenant_id = {}", tx.tenant_id)
    found.add("a.id < {}", before)
    found.add("a.external_id = {}", asked.get("external_id"))
    found.add("a.email = {}", asked.get("email"))
    found.add_text(_OF_STATUS.get(asked.get("status")))
    found.add_text(_OF_PARKED.get(asked.get("parked")))
    found.add("a.test_clock_id = {}", asked.get("test_clock_id"))
    found.add("a.created_at >= {}", asked.get("created_after"))
    found.add("a.created_at < {}", asked.get("created_before"))
    found.add_entries(
        """exists (select from account_metadata m where m.tenant_id = $1 and m.key = {}
               and m.value = {} and m.account_id = a.id)""",
        asked.get("metadata"),
    )
    rows = await tx.fetch(
        f"""select {ACCOUNT_COLUMNS} from account a where {found.sql}
            order by a.id desc limit {found.parameter(limit)}""",
        *found.values,
    )
    return [account_from_row(row) for row in rows]


async def test_clock_by_id(tx: Tx, test_clock_id: UUID) -> TestClock:
    """One test clock. Refuses: `test_clock_unknown`."""
    row = await tx.fetch_row(
        """select id, name, now, state, target, failure, created_at
           from test_clock where tenant_id = $1 and id = $2""",
        tx.tenant_id,
        test_clock_id,
    )
    if row is None:
        raise test_clock_unknown(test_clock_id=test_clock_id)
    return _test_clock_from_row(row)


async def list_test_clocks(tx: Tx, *, before: UUID | None, limit: int) -> list[TestClock]:
    """Test clocks, newest first, that come after the one named `before` in that order."""
    rows = await tx.fetch(
        """select id, name, now, state, target, failure, created_at from test_clock
           where tenant_id = $1 and ($2::uuid is null or id < $2)
           order by id desc limit $3""",
        tx.tenant_id,
        before,
        limit,
    )
    return [_test_clock_from_row(row) for row in rows]


def account_from_row(row: asyncpg.Record) -> Account:
    """An account from a row that holds its columns."""
    return Account(
        id=AccountId(row["id"]),
        number=row["number"],
        external_id=row["external_id"],
        status=_STATUSES[row["status"]],
        name=row["name"],
        email=row["email"],
        customer_type=_CUSTOMER_TYPES[row["customer_type"]],
        tax_id=row["tax_id"],
        reference=row["reference"],
        address=Address(**from_json(row["address"])),
        currency=row["currency"],
        locale=row["locale"],
        zone=row["zone"],
        payment_terms_days=row["payment_terms_days"],
        collection=_COLLECTIONS[row["collection"]],
        billing_day=row["billing_day"],
        next_invoice_at=row["next_invoice_at"],
        has_payment_method=row["has_payment_method"],
        parked_reason=row["parked_reason"],
        test_clock_id=row["test_clock_id"],
        metadata=from_json(row["metadata"]),
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


async def accounts_by_id(tx: Tx, account_ids: Sequence[UUID]) -> dict[UUID, Account]:
    """Many accounts in one query."""
    rows = await tx.fetch(
        f"select {ACCOUNT_COLUMNS} from account a where a.tenant_id = $1 and a.id = any($2::uuid[])",
        tx.tenant_id,
        account_ids,
    )
    return {row["id"]: account_from_row(row) for row in rows}


async def account_times(tx: Tx, account_ids: Sequence[UUID]) -> dict[UUID, AccountTime]:
    """What time it is for accounts: their zones, and the clocks that they are attached to."""
    rows = await tx.fetch(
        """select id, zone, test_clock_id from account
           where tenant_id = $1 and id = any($2::uuid[])""",
        tx.tenant_id,
        account_ids,
    )
    return {row["id"]: AccountTime(row["zone"], row["test_clock_id"]) for row in rows}


async def earliest_billing_day(tx: Tx, test_clock_id: UUID) -> datetime | None:
    """When a billing day first begins on a test clock; parked accounts are left out."""
    at: datetime | None = await tx.fetch_value(
        """select min(a.next_invoice_at) from account a
           where a.tenant_id = $1 and a.test_clock_id = $2 and a.next_invoice_at is not null
               and a.parked_reason is null""",
        tx.tenant_id,
        test_clock_id,
    )
    return at


async def clock_time(tx: Tx, test_clock_id: UUID) -> datetime | None:
    """Where a test clock stands; none when there is no such clock."""
    now: datetime | None = await tx.fetch_value(
        "select now from test_clock where tenant_id = $1 and id = $2", tx.tenant_id, test_clock_id
    )
    return now


def _test_clock_from_row(row: asyncpg.Record) -> TestClock:
    return TestClock(
        id=TestClockId(row["id"]),
        name=row["name"],
        now=row["now"],
        state=TestClockState(row["state"]),
        target=row["target"],
        failure=row["failure"],
        created_at=row["created_at"],
    )
