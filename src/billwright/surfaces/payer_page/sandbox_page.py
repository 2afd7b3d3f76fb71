"""How does somebody who tries Billwright out play the payer?

What they choose is told to Billwright as a provider tells it, by callbacks, before they are sent on.
"""

from __future__ import annotations

from urllib.parse import parse_qs

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from billwright.features.callbacks.operations.receive_callback import Delivery, receive_callback
from billwright.features.notifications.messages import amount_label
from billwright.features.payment_providers.model import AttemptState
from billwright.features.payment_providers.port import PlayedPage, PlayedProvider
from billwright.kernel.refusal import Refusal
from billwright.surfaces.payer_page.rendering import page
from billwright.surfaces.web.wiring import Wiring

SANDBOX = "sandbox"
_DONE = {AttemptState.SUCCEEDED, AttemptState.PROCESSING}

_log = structlog.get_logger(__name__)


async def show(request: Request) -> Response:
    """Only looks."""
    reference: str = request.path_params["reference"]
    played = _page_of(_sandbox(request), reference)
    return page(
        "sandbox.html",
        language="en",
        # It leads to wherever the platform wants its customers to come back.
        sends_to="'self' https: http:",
        reference=reference,
        heading="Leave a payment method" if played.amount is None else "Pay",
        amount=None if played.amount is None else amount_label(played.amount, locale="en"),
        cards=played.cards,
        is_open=played.state is AttemptState.REQUIRES_ACTION,
        pay_label="Leave a card" if played.amount is None else "Pay",
        explanation=f"This page is closed: {played.state.value.replace('_', ' ')}.",
    )


async def play(request: Request) -> Response:
    """Be the payer, let Billwright know what became of it, and go where the payer goes."""
    sandbox, reference = _sandbox(request), request.path_params["reference"]
    _page_of(sandbox, reference)
    match request.path_params["play"]:
        case "pay":
            sandbox.complete(reference, card=await _chosen_card(request))
        case "decline":
            sandbox.decline(reference)
        case "leave":
            sandbox.abandon(reference)
        case _:
            raise HTTPException(404)
    await _deliver(sandbox, request)
    played = _page_of(sandbox, reference)
    url = played.success_url if played.state in _DONE else played.cancel_url
    return RedirectResponse(url or f"../{reference}", 303)


async def _chosen_card(request: Request) -> str:
    form = parse_qs((await request.body()).decode("ascii", errors="replace"))
    return form.get("card", [""])[0]


def _sandbox(request: Request) -> PlayedProvider:
    wiring: Wiring = request.app.state.wiring
    sandbox: object = wiring.payment_providers.get(SANDBOX)
    if not isinstance(sandbox, PlayedProvider):
        raise HTTPException(404)
    return sandbox


def _page_of(sandbox: PlayedProvider, reference: str) -> PlayedPage:
    played = sandbox.page_of(reference)
    if played is None:
        raise HTTPException(404)
    return played


async def _deliver(sandbox: PlayedProvider, request: Request) -> None:
    wiring: Wiring = request.app.state.wiring
    for callback in sandbox.take_callbacks():
        try:
            await receive_callback(
                wiring.database,
                Delivery(provider=SANDBOX, headers=callback.headers, body=callback.body),
                providers=wiring.payment_providers,
                box=wiring.secret_box,
                default_tenant=request.app.state.settings.tenants[0],
            )
        except Refusal as refusal:
            _log.warning("callback of the sandbox refused", code=refusal.code)
