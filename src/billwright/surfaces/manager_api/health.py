"""Does the server answer?"""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from billwright.runtime.clock import SystemClock

router = APIRouter(tags=["System"])


class Health(BaseModel):
    status: Literal["ok"]
    timestamp: int = Field(description="Milliseconds since 1970-01-01T00:00:00Z.")


@router.get("/health", operation_id="getHealth", openapi_extra={"security": []})
async def health() -> Health:
    """Answers as long as the process does; it asks neither the database nor any other part."""
    return Health(status="ok", timestamp=int(SystemClock().now().timestamp() * 1000))
