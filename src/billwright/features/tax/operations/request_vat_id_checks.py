"""How is the check of a VAT id asked for?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from billwright.features.accounts.model import Account
from billwright.features.tax.model import VatIdCheck, VatIdStatus
from billwright.features.tax.rules.territory import MEMBER_STATES, tax_territory
from billwright.features.tax.rules.vat_id import NORTHERN_IRELAND, read_vat_id
from billwright.features.tax.sql.writes import replace_checks
from billwright.runtime.db.tx import Tx

CHECK_VAT_IDS = "check_vat_ids"
FORMAT = "format"


async def request_vat_id_checks(tx: Tx, accounts: Sequence[Account]) -> int:
    """Ask for the checks of tax ids that are new or have changed; how many those are.

    A text without a VAT id's form is invalid at once, and an id from outside the union stays
    unchecked: no treatment depends on it, and the union's register does not know it.
    """
    checks = [
        _requested(account, tax_id=account.tax_id, now=tx.now)
        for account in accounts
        if account.tax_id
    ]
    if not checks:
        return 0
    changed = await replace_checks(tx, checks)
    if any(check.next_check_at for check in checks):
        # One job a second and tenant gathers what was asked for in that second.
        second = tx.now.replace(microsecond=0).isoformat()
        tx.enqueue(CHECK_VAT_IDS, None, dedupe_key=f"{CHECK_VAT_IDS}:{tx.tenant_id}:{second}")
    return changed


def _requested(account: Account, *, tax_id: str, now: datetime) -> VatIdCheck:
    vat_id = read_vat_id(tax_id, country=tax_territory(account.address))
    if vat_id is None:
        return VatIdCheck(
            account_id=account.id,
            tax_id=tax_id,
            vat_id=None,
            status=VatIdStatus.INVALID,
            source=FORMAT,
            checked_at=now,
        )
    registered = vat_id.country in MEMBER_STATES or vat_id.country == NORTHERN_IRELAND
    return VatIdCheck(
        account_id=account.id,
        tax_id=tax_id,
        vat_id=vat_id.number,
        status=VatIdStatus.UNCHECKED,
        next_check_at=now if registered else None,
    )
