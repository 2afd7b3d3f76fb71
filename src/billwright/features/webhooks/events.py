"""What happens to webhook endpoints?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from billwright.kernel.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEndpointDisabled(Event):
    """Nothing is sent there any more. `reason` is `requested`, `gone` (it answered 410) or `failing`
    (no success for days).
    """

    type: ClassVar[str] = "webhook_endpoint.disabled"
    subject_type: ClassVar[str] = "webhook_endpoint"

    url: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEndpointTested(Event):
    """Somebody wants to see something arrive: it is sent to the endpoint that it is about, whatever
    that has subscribed to, and to no other.
    """

    type: ClassVar[str] = "webhook_endpoint.tested"
    subject_type: ClassVar[str] = "webhook_endpoint"

    message: str
