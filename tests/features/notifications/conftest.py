"""What does a test of notifications stand on? What events cause, run as a worker would."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from billwright.runtime.db.database import Database
from billwright.runtime.queue.registry import Registry
from tests.features.notifications.requesting import run_reactions


@pytest.fixture
def told(database: Database, registry: Registry) -> Callable[[], Awaitable[None]]:
    """Runs what the events of the test cause."""
    return partial(run_reactions, database, registry)
