"""Does a notification service get what it asks for, and is its answer understood?"""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime

import pytest

from billwright.features.notifications.port import (
    ServiceRejected,
    ServiceRequest,
    ServiceUnavailable,
    TypeStopped,
)
from billwright.kernel.ids import new_id
from billwright.providers.notification.http_api import HttpNotifier
from billwright.runtime.telemetry.context import bound
from tests.providers.webhook.receiving import receiver, reply

KEY = bytes(range(32))
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"
REQUEST = ServiceRequest(
    id=new_id(), body=b'{"type":"x.v1"}', sent_at=datetime(2026, 1, 15, 12, tzinfo=UTC)
)


async def submit(answer: bytes | None) -> tuple[str, dict[str, str], bytes]:
    async with receiver(answer) as one:
        notifier = HttpNotifier(f"http://127.0.0.1:{one.port}/", secret=SECRET, timeout_seconds=1)
        await notifier.submit(REQUEST)
    return one.requests[0]


@pytest.mark.parametrize("status", [202, 409])
async def test_a_request_is_taken_once(status: int):
    first, headers, body = await submit(reply(status))
    assert (first, body) == ("POST /v1/requests HTTP/1.1", REQUEST.body)
    assert headers["webhook-id"] == str(REQUEST.id)
    signed = f"{REQUEST.id}.{headers['webhook-timestamp']}.".encode() + body
    signature = base64.b64encode(hmac.digest(KEY, signed, "sha256")).decode()
    assert headers["webhook-signature"] == f"v1,{signature}"


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (reply(410), TypeStopped),
        (reply(400), ServiceRejected),
        (reply(422), ServiceRejected),
        (reply(408), ServiceUnavailable),
        (reply(429), ServiceUnavailable),
        (reply(200), ServiceUnavailable),  # a page that somebody else serves there
        (reply(302, "location: /elsewhere"), ServiceUnavailable),
        (reply(500), ServiceUnavailable),
        (reply(503), ServiceUnavailable),
        (None, ServiceUnavailable),
    ],
)
async def test_other_answers(answer: bytes | None, meaning: type[Exception]):
    with pytest.raises(meaning):
        await submit(answer)


async def test_a_request_names_the_one_that_it_is_made_for():
    with bound(request_id="r-1"):
        _, headers, _ = await submit(reply(202))
    assert headers["x-correlation-id"] == "r-1"
    _, headers, _ = await submit(reply(202))
    assert "x-correlation-id" not in headers
