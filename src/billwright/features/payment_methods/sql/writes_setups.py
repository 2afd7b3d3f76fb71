"""How does a setup of a method change?"""

from __future__ import annotations

from billwright.features.payment_methods.model import MethodSetup
from billwright.runtime.db.tx import Tx


async def insert_setup(tx: Tx, setup: MethodSetup) -> None:
    """Store a setup whose provider is still to be asked."""
    await tx.execute(
        """insert into payment_method_setup (tenant_id, id, account_id, provider, provider_key, state,
               created_at, updated_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8)""",
        tx.tenant_id,
        setup.id,
        setup.account_id,
        setup.provider,
        setup.provider_key,
        setup.state.value,
        setup.created_at,
        setup.updated_at,
    )


async def update_setup(tx: Tx, setup: MethodSetup) -> None:
    """Store how a setup stands; its account is locked."""
    await tx.execute(
        """update payment_method_setup
           set state = $3, provider_reference = $4, page_url_sealed = $5, expires_at = $6,
               payment_method_id = $7, updated_at = $8
           where tenant_id = $1 and id = $2""",
        tx.tenant_id,
        setup.id,
        setup.state.value,
        setup.provider_reference,
        setup.page_url_sealed,
        setup.expires_at,
        setup.payment_method_id,
        setup.updated_at,
    )
