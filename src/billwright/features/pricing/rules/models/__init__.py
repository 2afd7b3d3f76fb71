"""Which pricing models are there? One file each, found here by being here."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import is_dataclass
from typing import Any, get_args, get_type_hints


def _discover() -> dict[str, type[Any]]:
    models = {}
    for module in pkgutil.iter_modules(__path__):
        definitions = vars(importlib.import_module(f"{__name__}.{module.name}")).values()
        for kind in definitions:
            if (
                isinstance(kind, type)
                and is_dataclass(kind)
                and kind.__module__.startswith(__name__)
            ):
                (name,) = get_args(get_type_hints(kind)["model"])
                models[name] = kind
    return models


PRICING_MODELS: dict[str, type[Any]] = _discover()
