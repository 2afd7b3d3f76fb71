"""How much do the groups of a window come to?"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256

import msgspec

from billwright.features.usage.model import UsedGroup, WholeUnits

_PLACES = 6  # those of the column that keeps a billed quantity
_HALF = Fraction(1, 2)


def quantity_of(groups: Sequence[UsedGroup], *, rounding: WholeUnits | None) -> Decimal:
    """The sum of the groups, rounded once: to whole units where the meter says so, else to the
    millionth, a half away from zero.
    """
    exact = sum((group.quantity for group in groups), Fraction(0))
    match rounding:
        case None:
            return Decimal(f"{_nearest(exact * 10**_PLACES)}E-{_PLACES}")
        case WholeUnits.ROUND:
            return Decimal(_nearest(exact))
        case WholeUnits.CEIL:
            return Decimal(-(-exact.numerator // exact.denominator))
        case WholeUnits.FLOOR:
            return Decimal(exact.numerator // exact.denominator)


def digest_of(parts: Sequence[tuple[UsedGroup, str]]) -> str:
    """The digest of a window from those of its groups; of a single one without properties, its own."""
    if len(parts) == 1 and not parts[0][0].values:
        return parts[0][1]
    ordered = sorted((msgspec.json.encode(group.values), digest) for group, digest in parts)
    whole = sha256()
    for values, digest in ordered:
        whole.update(values + b"\n" + digest.encode() + b"\n")
    return whole.hexdigest()


def _nearest(exact: Fraction) -> int:
    whole = (abs(exact) + _HALF).__floor__()
    return whole if exact >= 0 else -whole
