"""How does a payment come to know what goes back of it?"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from billwright.features.payments.sql.writes import set_refunded
from billwright.runtime.db.tx import Tx


async def note_refunds(tx: Tx, refunded_minor: Mapping[UUID, int]) -> None:
    """Let payments, whose accounts are locked, say what was given back of them or is on its way, in
    minor units.

    A provider may give back more than we have taken; that is a finding for a person, and no amount
    that a payment could have.
    """
    if refunded_minor:
        await set_refunded(tx, refunded_minor)
