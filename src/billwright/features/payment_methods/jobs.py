"""Who looks after methods that end, and after pages on which none was left?"""

from __future__ import annotations

from billwright.features.payment_methods.operations.announce_expiring_methods import (
    announce_expiring_methods as announce_batch,
)
from billwright.features.payment_methods.operations.resolve_left_setups import (
    resolve_left_setups as resolve_left,
)
from billwright.features.payment_methods.sql.reads import next_expiry_announcement
from billwright.features.payment_providers.port import PaymentProviders
from billwright.runtime.queue.registry import Sweep, Work
from billwright.runtime.secrets import SecretBox


async def resolve_left_setups(work: Work) -> int:
    """Ask what became of pages to leave a method on; returns how many have ended."""
    return await resolve_left(
        work.tx,
        as_of=work.as_of,
        providers=work.provider(PaymentProviders),
        box=work.provider(SecretBox),
    )


async def announce_expiring_methods(work: Work) -> int:
    """Announce that default methods end soon; returns how many."""
    announced = 0
    while True:
        async with work.tx() as tx:
            batch = await announce_batch(tx, as_of=work.as_of, test_clock_id=work.test_clock_id)
        if not batch:
            return announced
        announced += batch


SWEEPS = [
    Sweep(name="resolve_left_setups", cron="*/10 * * * *", run=resolve_left_setups),
    Sweep(
        name="announce_expiring_methods",
        cron="40 6 * * *",
        run=announce_expiring_methods,
        next_due=next_expiry_announcement,
    ),
]
