"""What do webhooks ask of whoever sends them?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from billwright.features.webhooks.model import WebhookAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookMessage:
    """What is sent: the raw bytes that every secret signs, under an id that stays over retries."""

    id: str
    url: str
    body: bytes
    secrets: tuple[str, ...]
    sent_at: datetime


class WebhookSender(Protocol):
    async def send(self, message: WebhookMessage) -> WebhookAnswer:
        """Send it once, following no redirect, within a bounded time. Never raises for what the other
        side does.
        """
        ...
