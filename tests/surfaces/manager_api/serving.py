"""The manager API as its clients meet it, at its address and with what surrounds it, with routes to
try its rules on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, cast

import httpx2
from fastapi import Depends, FastAPI, Request
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Mount
from starlette.types import ASGIApp

from billwright.providers.document.typst.renderer import TypstInvoiceRenderer
from billwright.providers.payment import discover
from billwright.runtime.db.database import Database
from billwright.runtime.settings import load_settings
from billwright.runtime.telemetry.metrics import Metrics
from billwright.surfaces.manager_api.app import create_manager_api
from billwright.surfaces.manager_api.rate_limit import limit_attempts
from billwright.surfaces.web.answer_headers import AnswerHeaders
from billwright.surfaces.web.request_context import RequestContext
from billwright.surfaces.web.wiring import Wiring
from tests.conftest import BOX

PRODUCTION = {
    "BILLWRIGHT_ENVIRONMENT": "production",
    "ENCRYPTION_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
}
PAGE = "https://console.example.com"


class Guess(BaseModel):
    email: str


def an_application(home: Path, database: Database | None = None, **variables: str) -> ASGIApp:
    """An application with the given settings, and the routes `/tried`, `/tried/{code}`, `/closed`,
    which knows nobody, `/guess` and `/bug`.
    """
    manager = create_manager_api()
    manager.state.settings = load_settings({"BILLWRIGHT_HOME": str(home), **variables})
    _add_routes(manager)
    metrics = Metrics()
    manager.state.wiring = Wiring(
        database=cast("Database", database),  # without one, nothing may ask for it
        metrics=metrics,
        invoice_renderer=TypstInvoiceRenderer(),
        payment_providers=discover(),
        secret_box=BOX,
    )
    root = Starlette(routes=[Mount("/api", manager)])
    return RequestContext(AnswerHeaders(root), metrics=metrics)


@asynccontextmanager
async def calling(
    application: ASGIApp, address: str = "192.0.2.1"
) -> AsyncIterator[httpx2.AsyncClient]:
    """A client at an address."""
    transport = httpx2.ASGITransport(
        application, raise_app_exceptions=False, client=(address, 4711)
    )
    async with httpx2.AsyncClient(transport=transport, base_url="http://test/api") as client:
        yield client


def _refuse() -> None:
    raise HTTPException(401)


def _add_routes(manager: FastAPI) -> None:
    @manager.api_route("/tried", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    async def tried() -> str:
        return "tried"

    @manager.get("/tried/{code}")
    async def tried_code(code: str) -> str:
        return code

    @manager.post("/closed")
    async def closed(body: Guess, known: Annotated[None, Depends(_refuse)]) -> None:
        """Nobody comes in."""

    @manager.post("/guess")
    async def guess(request: Request, body: Guess) -> None:
        await limit_attempts(request, about=body.email)

    @manager.get("/bug")
    async def bug() -> None:
        raise RuntimeError("a bug")
