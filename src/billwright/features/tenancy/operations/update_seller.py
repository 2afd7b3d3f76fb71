"""How do a seller's data and settings change?"""

from __future__ import annotations

from dataclasses import fields, replace

from billwright.features.tenancy.errors import seller_invalid
from billwright.features.tenancy.events import SellerUpdated
from billwright.features.tenancy.model import Seller
from billwright.features.tenancy.rules.seller import seller_problems
from billwright.features.tenancy.sql.reads import the_seller
from billwright.features.tenancy.sql.writes import lock_seller, update_seller_row
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.tx import Tx


async def update_seller(tx: Tx, seller: Seller) -> Seller:
    """Make the tenant's seller what is given, in everything but its id. What exists keeps what it was
    made with: finalized documents, the zone and currency of accounts and their subscriptions.

    A command that changes nothing leaves nothing behind. Refuses: `seller_invalid` with every problem
    at once.
    """
    problems = list(seller_problems(seller, at=""))
    if problems:
        refused = seller_invalid()
        raise Refusal(refused.code, refused.category, refused.detail, problems=problems)
    await lock_seller(tx)
    before = await the_seller(tx)
    updated = replace(seller, id=before.id)
    changed = tuple(
        sorted(
            field.name
            for field in fields(Seller)
            if getattr(updated, field.name) != getattr(before, field.name)
        )
    )
    if not changed:
        return before
    await update_seller_row(tx, updated)
    tx.publish(SellerUpdated(subject_id=updated.id, account_id=None, changed=changed))
    tx.audit(
        "seller.update",
        subject_type="seller",
        subject_id=updated.id,
        details={"changed": {name: getattr(updated, name) for name in changed}},
    )
    return updated
