"""Do webhooks go where they should, signed, and nowhere else?"""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from billwright.features.webhooks.model import TargetPolicy, WebhookAnswer
from billwright.features.webhooks.port import WebhookMessage
from billwright.providers.retry_after import retry_after_seconds
from billwright.providers.standard_webhooks import signed_headers
from billwright.providers.webhook import https
from billwright.providers.webhook.https import HttpsSender
from tests.providers.webhook.certificates import contexts_for
from tests.providers.webhook.receiving import receiver, reply

ANYWHERE = TargetPolicy(unrestricted=True)
NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
OLD, NEW = (f"whsec_{base64.b64encode(bytes([n]) * 32).decode()}" for n in (1, 2))
BODY = json.dumps({"type": "invoice.paid", "data": {"note": "Grüße"}}).encode()


def message(url: str, **changes: object) -> WebhookMessage:
    values = {"id": "0190", "url": url, "body": BODY, "secrets": (NEW, OLD), "sent_at": NOW}
    return WebhookMessage(**{**values, **changes})


async def send(port: int, path: str = "/hooks?key=1") -> WebhookAnswer:
    sender = HttpsSender(ANYWHERE, timeout_seconds=2)
    return await sender.send(message(f"http://127.0.0.1:{port}{path}"))


def test_the_signature_is_that_of_the_specification():
    """The vector of the reference implementations of Standard Webhooks."""
    headers = signed_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        secrets=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        sent_at=datetime.fromtimestamp(1614265330, UTC),
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


async def test_a_message_arrives_as_it_was_signed_by_each_secret():
    async with receiver(reply(200, body=b"thanks")) as one:
        answer = await send(one.port)
    assert (answer.status, answer.text, answer.error) == (200, "thanks", None)
    assert answer.is_accepted
    [(first, headers, body)] = one.requests
    assert first == "POST /hooks?key=1 HTTP/1.1"
    assert (headers["host"], body) == (f"127.0.0.1:{one.port}", BODY)
    assert headers["content-type"] == "application/json"
    signed = f"0190.{headers['webhook-timestamp']}.".encode() + body
    assert headers["webhook-signature"].split() == [
        "v1,"
        + base64.b64encode(
            hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), signed, "sha256")
        ).decode()
        for secret in (NEW, OLD)
    ]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_redirects_are_not_followed(status: int):
    async with receiver() as target:
        moved = reply(status, f"location: http://127.0.0.1:{target.port}/")
        async with receiver(moved) as one:
            answer = await send(one.port)
    assert (answer.status, answer.is_accepted, target.requests) == (status, False, [])


async def test_of_a_long_answer_only_the_beginning_is_read():
    async with receiver(reply(500, body=b"x\x00y" + b"z" * 50_000_000)) as one:
        answer = await send(one.port)
    assert answer.status == 500
    assert answer.text == "xy" + "z" * 498


async def test_silence_ends(monkeypatch):
    async with receiver(None) as one:
        sender = HttpsSender(ANYWHERE, timeout_seconds=1)
        answer = await sender.send(message(f"http://127.0.0.1:{one.port}/"))
    assert (answer.status, answer.error) == (None, "no answer within 1 seconds")
    assert 900 <= answer.duration_ms < 5000


async def test_an_answer_that_never_ends_ends():
    gone = asyncio.Event()

    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 X\r\ncontent-length: 1000\r\n\r\n")
        with suppress(ConnectionError):
            while True:
                writer.write(b".")
                await writer.drain()
                await asyncio.sleep(0.1)
        writer.close()
        gone.set()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    answer = await HttpsSender(ANYWHERE, timeout_seconds=1).send(
        message(f"http://127.0.0.1:{port}/")
    )
    await gone.wait()
    server.close()
    assert (answer.status, answer.error) == (None, "no answer within 1 seconds")


async def test_nobody_there_is_an_answer_too():
    async with receiver() as one:
        port = one.port
    answer = await send(port)
    assert answer.status is None
    assert answer.error


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["169.254.169.254"],
        ["10.0.0.1"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["fd00:ec2::254"],
        ["8.8.8.8", "192.168.0.1"],
        ["not an address"],
    ],
)
async def test_a_name_that_leads_into_a_private_network_is_not_followed(addresses: list[str]):
    async def resolve(_host: str, _port: int) -> list[str]:
        return addresses

    sender = HttpsSender(TargetPolicy(), resolve=resolve, timeout_seconds=2)
    answer = await sender.send(message("https://rebound.example.com/"))
    assert answer.status is None
    assert "which is not a public address" in (answer.error or "")


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f000001", "[::1]"])
async def test_this_machine_has_many_names_and_none_is_a_target(host: str):
    async with receiver() as one:
        answer = await HttpsSender(TargetPolicy(), timeout_seconds=2).send(
            message(f"https://{host}:{one.port}/")
        )
    assert answer.status is None
    assert answer.error
    assert one.requests == []


async def test_only_https_unless_unrestricted():
    answer = await HttpsSender(TargetPolicy()).send(message("http://platform.example.com/"))
    assert answer.error == "webhooks go to https addresses only"


async def test_it_connects_to_the_address_that_was_looked_at_and_checks_the_name(
    tmp_path, monkeypatch
):
    """A name that leads elsewhere when it is asked again: only the first answer counts, and the
    certificate is checked for the name although the connection is made to a number.
    """
    serving, trusting = contexts_for("platform.example.com", tmp_path)
    asked: list[str] = []

    async def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["192.0.2.1"]

    monkeypatch.setattr(https, "is_public", lambda address: address == "127.0.0.1")
    sender = HttpsSender(TargetPolicy(), resolve=resolve, timeout_seconds=2, tls=trusting)
    async with receiver(tls=serving) as one:
        answer = await sender.send(message(f"https://platform.example.com:{one.port}/"))
        assert (answer.status, answer.error) == (204, None)
        assert one.requests[0][1]["host"] == f"platform.example.com:{one.port}"
        asked.clear()
        other = await sender.send(message(f"https://other.example.com:{one.port}/"))
    assert other.status is None
    assert "certificate" in (other.error or "").lower()
    assert len(one.requests) == 1


async def test_the_second_address_is_tried_when_nobody_is_at_the_first():
    async def resolve(_host: str, _port: int) -> list[str]:
        return ["127.0.0.2", "127.0.0.1"]

    async with receiver() as one:
        sender = HttpsSender(ANYWHERE, resolve=resolve, timeout_seconds=2)
        answer = await sender.send(message(f"http://platform.example.com:{one.port}/"))
    assert answer.status == 204


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("120", 120),
        (" 0 ", 0),
        ("-5", None),
        ("9" * 40, 999_999_999),
        ("Thu, 15 Jan 2026 12:01:30 GMT", 90),
        ("Thu, 15 Jan 2026 11:00:00 GMT", 0),
    ],
)
def test_retry_after(value: str | None, seconds: int | None):
    assert retry_after_seconds(value, now=NOW) == seconds
