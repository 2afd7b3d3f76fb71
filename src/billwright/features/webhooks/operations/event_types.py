"""Which types of events are there?"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

import billwright.features
from billwright.kernel.event import Event


@cache
def event_types() -> dict[str, type[Event]]:
    """The newest version of every event that a feature declares, by its type.

    Features are looked through, because those beside and above this one are not known here.
    """
    found: dict[str, type[Event]] = {}
    for feature in pkgutil.iter_modules(billwright.features.__path__):
        name = f"billwright.features.{feature.name}"
        parts = {part.name for part in pkgutil.iter_modules(importlib.import_module(name).__path__)}
        if "events" not in parts:
            continue
        module = importlib.import_module(f"{name}.events")
        for value in vars(module).values():
            if _is_declared_in(module.__name__, value):
                known = found.get(value.type)
                if known is None or known.version < value.version:
                    found[value.type] = value
    return dict(sorted(found.items()))


def _is_declared_in(module_name: str, value: object) -> bool:
    return (
        isinstance(value, type)
        and issubclass(value, Event)
        and value.__module__ == module_name
        and hasattr(value, "type")
    )
