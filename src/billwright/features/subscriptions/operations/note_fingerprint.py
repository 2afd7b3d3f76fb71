"""What becomes of a trial when its account leaves a way to pay with which another one had its trial?"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from billwright.features.subscriptions.events import SubscriptionTrialRepeated
from billwright.features.subscriptions.model import TrialState
from billwright.features.subscriptions.sql.reads_fingerprints import (
    redeeming_subscriptions,
    repeated_trials,
)
from billwright.features.subscriptions.sql.writes_fingerprints import (
    insert_account_fingerprint,
    insert_trial_fingerprints,
    renew_fingerprint,
)
from billwright.features.tenancy.model import RepeatedTrials
from billwright.features.tenancy.sql.reads import the_seller
from billwright.runtime.db.tx import Tx

END_REPEATED_TRIAL = "end_repeated_trial"


async def note_fingerprint(tx: Tx, account_id: UUID, *, digests: Sequence[bytes]) -> None:
    """Remember what a locked account has left: the digests of its fingerprint, the current key's first.

    A trial that is not over although another account has had one of that plan with the same way to pay
    is told to the seller. Where the seller wants that, one that has begun ends: in a transaction of its
    own, so that a way to pay is kept whatever becomes of the trial.
    """
    digest, *former = digests
    await renew_fingerprint(tx, digest=digest, former=former)
    if not await insert_account_fingerprint(tx, account_id, fingerprint_digest=digest):
        return
    redeeming = await redeeming_subscriptions(tx, account_id)
    if not redeeming:
        return
    await insert_trial_fingerprints(tx, redeeming)
    repeated = await repeated_trials(tx, account_id, fingerprint_digest=digest)
    if not repeated:
        return
    ends = (await the_seller(tx)).repeated_trials is RepeatedTrials.END
    for trial in repeated:
        is_ended = ends and trial.state is TrialState.ACTIVE
        tx.publish(
            SubscriptionTrialRepeated(
                subject_id=trial.subscription_id,
                account_id=account_id,
                number=trial.number,
                plan_code=trial.plan_code,
                trial_end=trial.trial_end,
                former_account_id=trial.former_account_id,
                former_trial_at=trial.former_trial_at,
                is_ended=is_ended,
            )
        )
        if is_ended:
            tx.enqueue(END_REPEATED_TRIAL, {"subscription_id": trial.subscription_id})
