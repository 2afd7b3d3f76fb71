"""Which ids do generated histories use? A counter's: what is ordered by id repeats with the seed."""

from __future__ import annotations

import itertools
from uuid import UUID

_NUMBERS = itertools.count(1)


def next_id() -> UUID:
    """An id that is later than all before it, as real ones are."""
    return UUID(int=next(_NUMBERS))
