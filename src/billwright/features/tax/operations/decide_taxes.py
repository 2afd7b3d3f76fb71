"""How is each account of a batch taxed?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from billwright.features.accounts.model import Account
from billwright.features.tax.model import TaxDecision, VatIdCheck, VatIdStatus
from billwright.features.tax.rules.engines import engine_of
from billwright.features.tax.rules.tax_engine import TaxEngine
from billwright.features.tax.rules.territory import tax_territory
from billwright.features.tax.rules.treatment import BuyerTaxStatus, SellerTaxStatus
from billwright.features.tax.rules.vat_id import read_vat_id
from billwright.features.tax.sql.reads import vat_id_checks
from billwright.features.tenancy.model import Seller
from billwright.runtime.db.tx import Tx


async def decide_taxes(
    tx: Tx, accounts: Sequence[Account], *, seller: Seller, on: date
) -> Mapping[UUID, TaxDecision]:
    """The treatment of each account for documents of that day, by the seller's engine and the last
    answer that is stored of the account's VAT id: one query for all of them, and none when no account
    has a tax id. Refuses: `tax_engine_unknown`.
    """
    engine = engine_of(seller.tax_engine)
    known = {account.id: account for account in accounts}
    with_tax_id = [account.id for account in known.values() if account.tax_id]
    checks = await vat_id_checks(tx, with_tax_id) if with_tax_id else {}
    seller_status = SellerTaxStatus(
        country=tax_territory(seller.party.address),
        small_business_exempt=seller.small_business_exempt,
        oss_registered_since=seller.oss_registered_since,
    )
    return {
        account.id: _decision(
            account, checks.get(account.id), engine=engine, seller=seller_status, on=on
        )
        for account in known.values()
    }


def _decision(
    account: Account,
    check: VatIdCheck | None,
    *,
    engine: TaxEngine,
    seller: SellerTaxStatus,
    on: date,
) -> TaxDecision:
    status = confirmed_country = None
    if account.tax_id:
        # What is known of another tax id, which the account had before, says nothing of this one.
        current = check if check is not None and check.tax_id == account.tax_id else None
        status = VatIdStatus.UNCHECKED if current is None else current.status
        if current is not None and status is VatIdStatus.VALID:
            vat_id = read_vat_id(current.vat_id or "", country="")
            confirmed_country = vat_id.country if vat_id else None
    buyer = BuyerTaxStatus(
        country=tax_territory(account.address),
        customer_type=account.customer_type,
        confirmed_vat_id_country=confirmed_country,
    )
    return TaxDecision(engine.treatment(seller, buyer, on=on), status, engine.name)
