"""Who signed a callback of the sandbox, and when?

In the manner of Standard Webhooks (https://www.standardwebhooks.com): the headers `webhook-id`,
`webhook-timestamp` and `webhook-signature`, which holds one or more of `v1,` with the base64 text of
an HMAC-SHA256 over id, time and body, joined by dots.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime

from billwright.features.payment_providers.port import CALLBACK_TOLERANCE, CallbackInvalid

_VERSION = "v1,"


def signed_headers(event_id: str, body: bytes, *, secret: str, now: datetime) -> dict[str, str]:
    """The headers with which a body is sent."""
    timestamp = str(int(now.timestamp()))
    return {
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": _VERSION
        + _signature(f"{event_id}.{timestamp}.", body=body, secret=secret),
    }


def require_signed(
    headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], now: datetime
) -> None:
    """Raises `CallbackInvalid` unless one of the secrets has signed the body in the last minutes."""
    given = {name.lower(): value for name, value in headers.items()}
    event_id, timestamp = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    signatures = [
        each.removeprefix(_VERSION).encode()
        for each in given.get("webhook-signature", "").split()
        if each.startswith(_VERSION)
    ]
    expected = [
        _signature(f"{event_id}.{timestamp}.", body=body, secret=secret).encode()
        for secret in secrets
    ]
    # Each is compared with each, so that the time taken does not say which one was near.
    matches = [hmac.compare_digest(one, other) for one in expected for other in signatures]
    if not any(matches):
        raise CallbackInvalid("no secret in use has signed this body")
    if not timestamp.isdecimal():
        raise CallbackInvalid("the timestamp is none")
    if abs(now.timestamp() - int(timestamp)) > CALLBACK_TOLERANCE.total_seconds():
        raise CallbackInvalid("the signature is too old, or from the future")


def _signature(prefix: str, *, body: bytes, secret: str) -> str:
    signature = hmac.digest(secret.encode(), prefix.encode() + body, "sha256")
    return base64.b64encode(signature).decode()
