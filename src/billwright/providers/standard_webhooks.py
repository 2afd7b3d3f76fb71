"""How is a message signed, so that its receiver knows who sent it, and when?

By Standard Webhooks (https://www.standardwebhooks.com): HMAC-SHA256 over id, time and body, joined by
dots, under the bytes that the secret spells in base64. While a secret is replaced, each one signs.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from datetime import datetime

_SECRET_PREFIX = "whsec_"  # noqa: S105 - what a secret begins with
_VERSION = "v1"


def signed_headers(
    message_id: str, body: bytes, *, secrets: Sequence[str], sent_at: datetime
) -> dict[str, str]:
    """The headers with which a body is sent."""
    timestamp = str(int(sent_at.timestamp()))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(signed, secret=secret) for secret in secrets),
    }


def _signature(signed: bytes, *, secret: str) -> str:
    key = base64.b64decode(secret.removeprefix(_SECRET_PREFIX))
    return f"{_VERSION},{base64.b64encode(hmac.digest(key, signed, 'sha256')).decode()}"
