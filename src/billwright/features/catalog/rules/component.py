"""Does a component hold together: what it charges for, and what that needs?"""

from __future__ import annotations

from billwright.features.catalog.errors import (
    component_member_unsuitable,
    component_meter_missing,
    component_timing_unsuitable,
)
from billwright.features.catalog.model import ComponentKind, PlanComponent, Timing
from billwright.features.pricing.rules.numbers import check_quantity

NATURAL_TIMING = {
    ComponentKind.RECURRING: Timing.IN_ADVANCE,
    ComponentKind.ONE_TIME: Timing.IN_ADVANCE,
    ComponentKind.USAGE: Timing.IN_ARREARS,
}
"""When each kind is charged if nothing else is said; only a recurring one has the choice."""


def check_component(component: PlanComponent, *, pointer: str) -> None:
    """Accept a component whose members fit its kind.

    Refuses: `component_timing_unsuitable`, `component_meter_missing`, `component_member_unsuitable`,
    `pricing_invalid` for free units that are not a quantity.
    """
    check_quantity(component.free_units, pointer=f"{pointer}/free_units")
    kind = component.kind
    if kind is not ComponentKind.RECURRING and component.timing is not NATURAL_TIMING[kind]:
        raise component_timing_unsuitable(
            pointer=f"{pointer}/timing",
            component_code=component.code,
            kind=kind.value,
            timing=NATURAL_TIMING[kind].value,
        )
    if kind is ComponentKind.USAGE and component.meter is None:
        raise component_meter_missing(pointer=f"{pointer}/meter", component_code=component.code)
    given = {
        "meter": component.meter is not None,
        "free_units": bool(component.free_units),
        "minimums": bool(component.minimums),
    }
    for member in _UNSUITABLE[kind]:
        if given[member]:
            raise component_member_unsuitable(
                pointer=f"{pointer}/{member}",
                component_code=component.code,
                kind=kind.value,
                member=member,
            )


# Only usage is counted by a meter. What is charged once has no period, to which free units and
# minimums belong.
_UNSUITABLE = {
    ComponentKind.RECURRING: ("meter",),
    ComponentKind.ONE_TIME: ("meter", "free_units", "minimums"),
    ComponentKind.USAGE: (),
}
