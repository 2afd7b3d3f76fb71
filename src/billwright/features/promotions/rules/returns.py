"""What do redemptions get back when lines that they discounted are taken back?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from billwright.features.promotions.model import Redemption
from billwright.features.promotions.rules.discounts import given_back

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnedDiscount:
    """What a redemption gave on a line, or a part of one, that is taken back: `amount_minor` of the
    `listed_minor` that the service between the two instants costs without promotions.
    """

    redemption_id: UUID
    amount_minor: int
    listed_minor: int
    service_start: datetime
    service_end: datetime


def with_returns(
    redemptions: Mapping[UUID, Redemption], returned: Iterable[ReturnedDiscount]
) -> dict[UUID, Redemption]:
    """The redemptions after they got that back; what belongs to others is left out."""
    amounts: dict[UUID, int] = defaultdict(int)
    # Lines of the same time consumed that time once, and give it back once.
    seconds: dict[UUID, dict[tuple[datetime, datetime], int]] = defaultdict(dict)
    for one in returned:
        if one.redemption_id not in redemptions:
            continue
        amounts[one.redemption_id] += one.amount_minor
        whole = (one.service_end - one.service_start) // _SECOND
        free = whole * one.amount_minor // one.listed_minor if one.listed_minor else 0
        known = seconds[one.redemption_id]
        window = one.service_start, one.service_end
        known[window] = max(known.get(window, 0), free)
    return dict(redemptions) | {
        key: given_back(redemptions[key], amount_minor=amount, seconds=sum(seconds[key].values()))
        for key, amount in amounts.items()
    }
