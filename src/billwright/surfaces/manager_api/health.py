"""Does the server answer, and do the parts that it depends on?"""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from billwright.runtime.clock import SystemClock
from billwright.surfaces.web.dependencies import UNKNOWN, Dependencies, State

router = APIRouter(tags=["System"])


class DependencyStates(BaseModel):
    database: State = Field(description="Whether PostgreSQL answers within two seconds.")
    queue: State = Field(description="`degraded` when a job has been due for five minutes.")
    worker: State = Field(
        description="`degraded` when no background worker has begun anything for three minutes, "
        "`unknown` when there has never been one."
    )


class Health(BaseModel):
    status: Literal["ok", "degraded"] = Field(
        description="`degraded` while the database is away; the answer is 200 all the same."
    )
    timestamp: int = Field(description="Milliseconds since 1970-01-01T00:00:00Z.")
    dependencies: DependencyStates


@router.get("/health", operation_id="getHealth", openapi_extra={"security": []})
async def health(request: Request) -> Health:
    """Answers as long as the process does. What it says of other parts was looked at within the last
    second, and is not waited for longer than a quarter of one.
    """
    dependencies: Dependencies | None = getattr(request.app.state, "dependencies", None)
    states = UNKNOWN if dependencies is None else await dependencies.states()
    return Health(
        status="degraded" if states["database"] == "degraded" else "ok",
        timestamp=int(SystemClock().now().timestamp() * 1000),
        dependencies=DependencyStates(**states),
    )
