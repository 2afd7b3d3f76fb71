"""How does what a payment provider tells of its own accord come in?"""

from __future__ import annotations

from starlette.requests import Request

from billwright.features.callbacks.operations.receive_callback import Delivery, receive_callback
from billwright.surfaces.web.body_limit import body_within
from billwright.surfaces.web.wiring import Wiring

# Events are a few kilobytes. Anybody may send more, since only the signature says who it is.
LARGEST_CALLBACK = 64 * 1024


async def take_callback(request: Request, *, provider: str) -> None:
    """Keep and apply a request's body, byte by byte as it was signed.

    Raises `CallbackInvalid`, and what `receive_callback` refuses.
    """
    wiring: Wiring = request.app.state.wiring
    delivery = Delivery(
        provider=provider,
        headers=dict(request.headers),
        body=await body_within(request, largest=LARGEST_CALLBACK),
    )
    await receive_callback(
        wiring.database,
        delivery,
        providers=wiring.payment_providers,
        box=wiring.secret_box,
        default_tenant=wiring.default_tenant,
    )
