"""What happens to a tenant?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from billwright.kernel.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class SellerUpdated(Event):
    """Documents from now on are made with other data or settings; `changed` names the fields of the
    seller that are not as they were, in alphabetical order.
    """

    type: ClassVar[str] = "seller.updated"
    subject_type: ClassVar[str] = "seller"

    changed: tuple[str, ...]
