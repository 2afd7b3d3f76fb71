"""What does a callback come to, and who has to know when nothing came of it?"""

from __future__ import annotations

from enum import StrEnum

from billwright.features.callbacks.model import Callback, CallbackState
from billwright.features.payment_providers.model import EventKind

OPEN_STATES = frozenset({CallbackState.RECEIVED, CallbackState.WAITING})
"""It has still to be applied."""


class Effect(StrEnum):
    """What an event did to the books: `applied` also when it said nothing new, `useless` when there is
    nothing in it for us, `not_found` when what it is about is not known, or not yet.
    """

    APPLIED = "applied"
    USELESS = "useless"
    NOT_FOUND = "not_found"


APPLIED_IF = {True: Effect.APPLIED, False: Effect.NOT_FOUND}
"""By whether what it is about was found."""

STATE_AFTER = {Effect.APPLIED: CallbackState.HANDLED, Effect.USELESS: CallbackState.IGNORED}
"""What a callback is then; one that was not found is tried again."""


def needs_person(callback: Callback, *, reason: str) -> bool:
    """Whether somebody has to look at a callback that was never applied.

    A payment or method without our key was made by somebody else with the same provider's account, which
    is their business; reconciliation counts it. That money went back is looked at in any case, since
    what is made elsewhere of a payment of ours carries no key either.
    """
    is_ours = callback.provider_key is not None
    gives_money_back = callback.kind in {EventKind.REFUND, EventKind.DISPUTE}
    return is_ours or gives_money_back or reason != Effect.NOT_FOUND
