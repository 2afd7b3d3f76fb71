"""What do the routes that answer about access share within one process?"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from starlette.requests import Request

from billwright.features.entitlements.sql.point_reads import PointReads

# What has to be computed anew leaves connections to those who need not wait for it.
_MOST_SETTLING = 4


@dataclass(frozen=True, slots=True)
class AccessReads:
    """The questions that wait for one statement, and a limit of those that need a transaction."""

    point: PointReads
    settling: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_MOST_SETTLING))


def access_reads(request: Request) -> AccessReads:
    """Those of the application that the request came to."""
    state = request.app.state
    try:
        reads: AccessReads = state.access_reads
    except AttributeError:
        reads = state.access_reads = AccessReads(PointReads(state.wiring.database))
    return reads
