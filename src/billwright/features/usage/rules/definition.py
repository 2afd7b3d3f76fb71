"""Does the definition of a meter hold together?"""

from __future__ import annotations

from billwright.features.usage.errors import meter_definition_unfit
from billwright.features.usage.model import Aggregation, MeterDefinition

_CARRYING = frozenset(
    {
        Aggregation.SUM,
        Aggregation.MAX,
        Aggregation.MIN,
        Aggregation.LATEST,
        Aggregation.WEIGHTED_SUM,
    }
)


def check_definition(definition: MeterDefinition) -> None:
    """Accept a definition whose members fit its aggregation. Refuses: `meter_definition_unfit`."""
    aggregation = definition.aggregation
    if aggregation is Aggregation.UNIQUE_COUNT and definition.property is None:
        raise _unfit("property", why="A unique count needs the property whose values are counted.")
    if aggregation is Aggregation.COUNT and definition.property is not None:
        raise _unfit(
            "property", why="A count is of events and has no property; filters choose them."
        )
    if definition.carries_over and aggregation not in _CARRYING:
        raise _unfit(
            "carries_over", why=f"Nothing carries over from one {aggregation} to the next."
        )
    if len(set(definition.group_by)) < len(definition.group_by):
        raise _unfit("group_by", why="A property is named twice.")


def _unfit(member: str, *, why: str) -> Exception:
    return meter_definition_unfit(pointer=f"/definition/{member}", member=member, why=why)
