"""Which tax engines are there? One file each, found here by being here."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping

from billwright.features.tax.errors import tax_engine_unknown
from billwright.features.tax.rules.tax_engine import TaxEngine


def engine_of(name: str, *, pointer: str | None = None) -> TaxEngine:
    """The engine of that name. Refuses: `tax_engine_unknown`."""
    engine = TAX_ENGINES.get(name)
    if engine is None:
        raise tax_engine_unknown(
            pointer=pointer, tax_engine=name, known=", ".join(sorted(TAX_ENGINES))
        )
    return engine


def _discover() -> Mapping[str, TaxEngine]:
    engines: dict[str, TaxEngine] = {}
    for module in pkgutil.iter_modules(__path__):
        engine: TaxEngine = importlib.import_module(f"{__name__}.{module.name}").ENGINE
        if engine.name in engines:
            raise RuntimeError(f"there are two tax engines with the name {engine.name}")
        engines[engine.name] = engine
    return engines


TAX_ENGINES: Mapping[str, TaxEngine] = _discover()
