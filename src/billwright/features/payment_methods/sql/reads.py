"""What does the database know of the methods that accounts have left?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import asyncpg

from billwright.features.payment_methods.errors import payment_method_unknown
from billwright.features.payment_methods.model import MethodId, MethodStatus, StoredMethod
from billwright.features.payment_methods.rules.expiry import announced_from
from billwright.features.payment_methods.sql.sealed_methods import reference_digests
from billwright.features.payment_providers.model import MethodKind
from billwright.runtime.db.tx import Tx
from billwright.runtime.secrets import SecretBox

METHOD_COLUMNS = """m.id, m.account_id, m.provider, m.kind, m.label, m.status, m.is_default,
    m.is_chargeable, m.expires_on, m.reference_sealed, m.payer_reference_sealed, m.consented_at,
    m.consent, m.version, m.created_at, m.updated_at, m.removed_at, m.detach_at"""


async def method_by_id(tx: Tx, method_id: UUID) -> StoredMethod:
    """One method, removed or not. Refuses: `payment_method_unknown`."""
    row = await tx.fetch_row(
        f"select {METHOD_COLUMNS} from payment_method m where m.tenant_id = $1 and m.id = $2",
        tx.tenant_id,
        method_id,
    )
    if row is None:
        raise payment_method_unknown(payment_method_id=method_id)
    return method_from_row(row)


async def default_method_of(tx: Tx, account_id: UUID) -> StoredMethod | None:
    """What money of an account is collected with unless another method is named; it may be one that
    cannot be charged.
    """
    row = await tx.fetch_row(
        f"""select {METHOD_COLUMNS} from payment_method m
            where m.tenant_id = $1 and m.account_id = $2 and m.is_default""",
        tx.tenant_id,
        account_id,
    )
    return None if row is None else method_from_row(row)


async def chargeable_defaults(tx: Tx, account_ids: Sequence[UUID]) -> dict[UUID, StoredMethod]:
    """What money of many accounts can be collected with, by account."""
    rows = await tx.fetch(
        f"""select {METHOD_COLUMNS} from payment_method m
            where m.tenant_id = $1 and m.account_id = any($2::uuid[]) and m.is_default
                and m.is_chargeable""",
        tx.tenant_id,
        account_ids,
    )
    return {row["account_id"]: method_from_row(row) for row in rows}


async def list_methods(
    tx: Tx, account_id: UUID, *, before: UUID | None, limit: int, status: MethodStatus
) -> list[StoredMethod]:
    """An account's methods of one status, newest first, that come after the one named `before` in that
    order.
    """
    rows = await tx.fetch(
        f"""select {METHOD_COLUMNS} from payment_method m
            where m.tenant_id = $1 and m.account_id = $2 and ($3::uuid is null or m.id < $3)
                and m.status = $5
            order by m.id desc limit $4""",
        tx.tenant_id,
        account_id,
        before,
        limit,
        status.value,
    )
    return [method_from_row(row) for row in rows]


async def methods_of_reference(
    tx: Tx, *, provider: str, reference: str, box: SecretBox
) -> list[StoredMethod]:
    """Which methods a provider means; more than one where several accounts have left the same."""
    rows = await tx.fetch(
        f"""select {METHOD_COLUMNS} from payment_method m
            where m.tenant_id = $1 and m.provider = $2 and m.reference_digest = any($3::bytea[])
            order by m.account_id, m.id""",
        tx.tenant_id,
        provider,
        reference_digests(box, provider=provider, reference=reference),
    )
    return [method_from_row(row) for row in rows]


async def digests_in_use(tx: Tx, digests: Sequence[bytes], *, provider: str) -> set[bytes]:
    """Under which digests of a provider's references an account has a method that was not removed."""
    rows = await tx.fetch(
        """select distinct reference_digest from payment_method
           where tenant_id = $1 and provider = $2 and reference_digest = any($3::bytea[])
               and status = 'active'""",
        tx.tenant_id,
        provider,
        digests,
    )
    return {row["reference_digest"] for row in rows}


async def newest_with_payer(tx: Tx, account_id: UUID, *, provider: str) -> StoredMethod | None:
    """The last method with which a provider told what it calls an account, removed or not."""
    row = await tx.fetch_row(
        f"""select {METHOD_COLUMNS} from payment_method m
            where m.tenant_id = $1 and m.account_id = $2 and m.provider = $3
                and m.payer_reference_sealed is not null
            order by m.id desc limit 1""",
        tx.tenant_id,
        account_id,
        provider,
    )
    return None if row is None else method_from_row(row)


async def unannounced_ends(
    tx: Tx, *, expires_by: date, test_clock_id: UUID | None, limit: int
) -> list[UUID]:
    """Default methods whose end is to be announced, the first to end first; not those of closed accounts,
    from which nothing is collected.
    """
    clock = (
        "a.test_clock_id = $4" if test_clock_id else "a.test_clock_id is null and $4::uuid is null"
    )
    rows = await tx.fetch(
        f"""select m.id from payment_method m
            join account a on a.tenant_id = m.tenant_id and a.id = m.account_id
            where m.tenant_id = $1 and m.status = 'active' and m.expires_on is not null
                and m.expires_on <= $2 and m.is_default and a.status = 'active'
                and m.expiry_announced_for is distinct from m.expires_on and {clock}
            order by m.expires_on limit $3""",
        tx.tenant_id,
        expires_by,
        limit,
        test_clock_id,
    )
    return [row["id"] for row in rows]


async def next_expiry_announcement(tx: Tx, test_clock_id: UUID) -> datetime | None:
    """When a default method's end is first to be announced to an account on a test clock."""
    expires_on = await tx.fetch_value(
        """select min(m.expires_on) from payment_method m
           join account a on a.tenant_id = m.tenant_id and a.id = m.account_id
           where m.tenant_id = $1 and a.test_clock_id = $2 and a.status = 'active' and m.is_default
               and m.status = 'active' and m.expires_on is not null
               and m.expiry_announced_for is distinct from m.expires_on""",
        tx.tenant_id,
        test_clock_id,
    )
    return None if expires_on is None else announced_from(expires_on)


def method_from_row(row: asyncpg.Record) -> StoredMethod:
    """A method from a row that holds its columns."""
    return StoredMethod(
        id=MethodId(row["id"]),
        account_id=row["account_id"],
        provider=row["provider"],
        kind=MethodKind(row["kind"]),
        label=row["label"],
        status=MethodStatus(row["status"]),
        is_default=row["is_default"],
        is_chargeable=row["is_chargeable"],
        expires_on=row["expires_on"],
        reference_sealed=row["reference_sealed"],
        payer_reference_sealed=row["payer_reference_sealed"],
        consented_at=row["consented_at"],
        consent=row["consent"],
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        removed_at=row["removed_at"],
        detach_at=row["detach_at"],
    )
