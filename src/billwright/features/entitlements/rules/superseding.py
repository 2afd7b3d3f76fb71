"""What becomes of the overrides that stand where another one is to be?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from billwright.features.entitlements.model import Override


def superseded_by(new: Override, standing: Iterable[Override]) -> list[Override]:
    """Those of the same place and feature that the new one ends: each that would be in force together
    with it, when the new one begins. One that would only begin later never does; none comes back when
    the new one ends.
    """
    return [
        replace(one, ends_at=max(one.effective_at, new.effective_at), superseded_by=new.id)
        for one in standing
        if _meets(one, new=new)
    ]


def _meets(one: Override, *, new: Override) -> bool:
    begins_before_end = new.ends_at is None or one.effective_at < new.ends_at
    ends_after_begin = one.ends_at is None or (
        one.ends_at > new.effective_at and one.ends_at > one.effective_at
    )
    return begins_before_end and ends_after_begin
