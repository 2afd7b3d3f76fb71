"""Which pages are shown to people who pay?"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from billwright.kernel.refusal import Category, Refusal
from billwright.surfaces.payer_page import invoice_page, sandbox_page
from billwright.surfaces.payer_page.rendering import message_page

SANDBOX_PATH = "/sandbox"


def create_payer_page() -> Starlette:
    """The page behind the link to pay an invoice, to be mounted at `PAY_PATH`.

    To answer requests it has `app.state.settings` and `app.state.wiring`.
    """
    return _application(
        Route("/{token}", invoice_page.show),
        Route("/{token}", invoice_page.pay, methods=["POST"]),
    )


def create_sandbox_page() -> Starlette:
    """The page on which somebody plays the payer, to be mounted at `SANDBOX_PATH`."""
    return _application(
        Route("/{reference}", sandbox_page.show),
        Route("/{reference}/{play}", sandbox_page.play, methods=["POST"]),
    )


def _application(*routes: Route) -> Starlette:
    return Starlette(
        routes=routes,
        exception_handlers={HTTPException: _declined, Refusal: _refused, Exception: _failed},
    )


async def _declined(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - the table of handlers says so
    return message_page(request, "not_found", status=error.status_code)


async def _refused(request: Request, error: Exception) -> Response:
    """What is not there, or cannot be had at the moment; the page itself answers all else."""
    assert isinstance(error, Refusal)  # noqa: S101
    if error.category is Category.NOT_FOUND:
        return message_page(request, "not_found", status=404)
    return message_page(request, "unavailable", status=503)


async def _failed(request: Request, _error: Exception) -> Response:
    """A bug, which the log tells."""
    return message_page(request, "unavailable", status=500)
