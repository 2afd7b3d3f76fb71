"""What happens to a payment whose payer has not come?"""

from __future__ import annotations

from datetime import datetime, timedelta

from billwright.features.payment_providers.port import PaymentProviders
from billwright.features.payments.model import Attempt
from billwright.features.payments.operations.withdraw_waiting import withdraw_attempt
from billwright.features.payments.sql.reads import attempts_by_id
from billwright.features.payments.sql.writes import claim_expired_pages
from billwright.runtime.db.tx import OpenTx
from billwright.runtime.secrets import SecretBox
from billwright.runtime.together import together

_BATCH_SIZE = 50
_AT_A_TIME = 10
_AGAIN_AFTER = timedelta(hours=1)


async def close_expired_pages(
    open_tx: OpenTx, *, as_of: datetime, providers: PaymentProviders, box: SecretBox
) -> int:
    """Withdraw a batch of what has waited for its payer for long enough; how many there were. A provider
    that does not answer is asked again in an hour.
    """
    async with open_tx() as tx:
        expired = await attempts_by_id(
            tx,
            await claim_expired_pages(tx, as_of=as_of, again_after=_AGAIN_AFTER, limit=_BATCH_SIZE),
        )

    async def close(attempt: Attempt) -> bool:
        return await withdraw_attempt(open_tx, attempt, providers=providers, box=box)

    await together(close, expired, at_a_time=_AT_A_TIME)
    return len(expired)
