"""What became of a page whose provider has told us nothing until it closed?"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import structlog

from billwright.features.payment_methods.model import MethodSetup
from billwright.features.payment_methods.operations.record_setup import record_setup
from billwright.features.payment_methods.sql.reads_setups import setups_left
from billwright.features.payment_providers.model import AttemptState
from billwright.features.payment_providers.port import Capability, PaymentProviders, ProviderAnswer
from billwright.runtime.db.tx import OpenTx
from billwright.runtime.secrets import SecretBox

_BATCH_SIZE = 100
_LIMIT_SECONDS = 30
# A direct debit may take days to be agreed; whoever has not by then starts again.
_GIVEN_UP_AFTER = timedelta(days=7)
_EXPIRED = ProviderAnswer(AttemptState.DECLINED)
_NOT_KNOWN = ProviderAnswer(AttemptState.UNKNOWN)

_log = structlog.get_logger(__name__)


async def resolve_left_setups(
    open_tx: OpenTx, *, as_of: datetime, providers: PaymentProviders, box: SecretBox
) -> int:
    """Ask once for each setup of a batch whose page has closed without a callback; returns how many of
    them have ended. The rest is asked for again the next time, for a week.
    """
    async with open_tx() as tx:
        left = await setups_left(tx, as_of=as_of, limit=_BATCH_SIZE)
    answers = await asyncio.gather(
        *(_answer(setup, as_of=as_of, providers=providers) for setup in left)
    )
    ended = 0
    for setup, answer in zip(left, answers, strict=True):
        async with open_tx() as tx:
            recorded = await record_setup(tx, setup_id=setup.id, answer=answer, box=box)
        ended += recorded.state is not setup.state
    return ended


async def _answer(
    setup: MethodSetup, *, as_of: datetime, providers: PaymentProviders
) -> ProviderAnswer:
    """A provider that is gone, or that cannot be asked, tells nothing any more."""
    provider = providers.get(setup.provider)
    if provider is None or Capability.CALLBACKS not in provider.capabilities:
        return _EXPIRED
    answer: ProviderAnswer | None = _NOT_KNOWN
    try:
        async with asyncio.timeout(_LIMIT_SECONDS):
            answer = await provider.look_up(setup.provider_reference or "")
    except Exception:  # noqa: BLE001 - whatever broke, it says nothing of this setup
        _log.exception("setup not resolved", setup_id=str(setup.id), provider=setup.provider)
    given_up = setup.expires_at is not None and as_of - setup.expires_at >= _GIVEN_UP_AFTER
    if answer is None or (given_up and answer.saved_method is None):
        return _EXPIRED
    return answer
