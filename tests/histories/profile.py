"""How many histories are generated, and under which seed?

    HISTORIES=long          tens of thousands instead of a few hundred
    HISTORIES_SEED=7        others than the usual ones

The seed is fixed, so that a failure repeats; Hypothesis prints the smallest history that fails.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings

LONG = os.environ.get("HISTORIES") == "long"
SEED = int(os.environ.get("HISTORIES_SEED", "2026"))

_Test = Callable[..., Any]


def histories(*, short: int, long: int) -> Callable[[_Test], _Test]:
    """So many examples of a property in the profile that runs with all tests, and in the long one."""
    chosen = settings(
        max_examples=long if LONG else short,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )

    def decorate(test: _Test) -> _Test:
        return pytest.mark.timeout(7200 if LONG else 180)(chosen(seed(SEED)(test)))

    return decorate
