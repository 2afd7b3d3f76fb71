"""What has become of a page on which a payer was to leave a method?"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.payment_methods.model import MethodSetup, SetupState
from billwright.features.payment_methods.operations.store_method import store_method
from billwright.features.payment_methods.sql.reads_setups import setup_by_id
from billwright.features.payment_methods.sql.writes_setups import update_setup
from billwright.features.payment_providers.model import AttemptState
from billwright.features.payment_providers.port import ProviderAnswer
from billwright.runtime.db.tx import Tx
from billwright.runtime.secrets import SecretBox


async def record_setup(
    tx: Tx, *, setup_id: UUID, answer: ProviderAnswer, box: SecretBox
) -> MethodSetup:
    """Store the method that was left, or that none will be; the setup as it stands then.

    Answers may come any number of times and in any order: one that is completed is settled, and one
    that has expired can still turn out to be completed. An answer without the method says too little
    to change anything; look the setup up.

    Refuses: `payment_method_setup_unknown`.
    """
    await lock_account(tx, (await setup_by_id(tx, setup_id)).account_id)
    setup = await setup_by_id(tx, setup_id)  # again, now that its account is locked
    if setup.state is SetupState.COMPLETED:
        return setup
    if answer.state is AttemptState.SUCCEEDED and answer.saved_method is not None:
        method_id = await store_method(
            tx,
            account_id=setup.account_id,
            provider=setup.provider,
            method=answer.saved_method,
            consent=f"page {setup.id} of {setup.provider}, for payments that are due later",
            box=box,
        )
        ended = replace(setup, state=SetupState.COMPLETED, payment_method_id=method_id)
    elif answer.state is AttemptState.DECLINED and setup.state is not SetupState.EXPIRED:
        ended = replace(setup, state=SetupState.EXPIRED)
    else:
        return setup
    ended = replace(ended, page_url_sealed=None, updated_at=tx.machine_now)
    await update_setup(tx, ended)
    tx.audit(
        "payment_method_setup.record",
        subject_type="payment_method_setup",
        subject_id=setup.id,
        details={"from": setup.state, "to": ended.state},
    )
    return ended
