"""How does pgqueuer find its tables? In the schema `queue`, on whichever connection is at hand."""

from __future__ import annotations

from typing import Any

from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import (
    QueryBuilderEnvironment,
    QueryQueueBuilder,
    QuerySchedulerBuilder,
)
from pgqueuer.domain.settings import DBSettings
from pgqueuer.queries import Queries

_SETTINGS = DBSettings(db_schema="queue")
_ENVIRONMENT = QueryBuilderEnvironment(_SETTINGS)
_QUEUE = QueryQueueBuilder(_SETTINGS)
_SCHEDULES = QuerySchedulerBuilder(_SETTINGS)


def queue_queries(connection: Any) -> Queries:
    """The queue on one asyncpg connection; inside a transaction its jobs are part of the commit."""
    return Queries(AsyncpgDriver(connection), qbe=_ENVIRONMENT, qbq=_QUEUE, qbs=_SCHEDULES)
