"""Where does Stripe tell what has become of payments, for clients of the manager contract?"""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from billwright.features.payment_providers.port import CallbackInvalid
from billwright.surfaces.web.callbacks import take_callback

router = APIRouter(tags=["Payments"])


class Received(BaseModel):
    received: bool = Field(description="The callback is safe with us, whatever comes of it.")


@router.post(
    "/webhooks/payments/stripe",
    operation_id="receiveStripeWebhook",
    openapi_extra={"security": []},
)
async def receive_stripe_webhook(request: Request) -> Received:
    """Stripe signs the raw body (`Stripe-Signature`); no other credential is needed, and no tenant.

    400 means that the signature is wrong or older than five minutes, and 404 that there is no Stripe
    account here. A callback that has come before is answered like a new one and does nothing.
    """
    try:
        await take_callback(request, provider="stripe")
    except CallbackInvalid as invalid:
        raise HTTPException(400, str(invalid)) from None
    return Received(received=True)
