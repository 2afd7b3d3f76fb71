"""Which news changes a dispute?

By rank, not by arrival: what is decided is not open again. Lost ranks above won, because a bank that has
lost may appeal, and then money is gone that must not be counted.
"""

from __future__ import annotations

from billwright.features.payment_providers.model import DisputeState

_RANKS = {DisputeState.OPEN: 0, DisputeState.WON: 1, DisputeState.LOST: 2}


def supersedes(news: DisputeState, *, known: DisputeState) -> bool:
    """Whether it says more than what is known already."""
    return _RANKS[news] > _RANKS[known]
