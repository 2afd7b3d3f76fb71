"""How does a webhook reach an address that somebody else has chosen, and nothing inside our network?

The name is resolved here and every address it leads to is looked at. The connection is made to one of
the very addresses that were looked at, so that a name that leads elsewhere a moment later changes
nothing; the certificate is still checked for the name. No proxy of the environment is used, which would
resolve the name again, and no redirect is followed.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import Awaitable, Callable
from time import perf_counter

import httpx2

from billwright import __version__
from billwright.features.webhooks.model import TargetPolicy, WebhookAnswer
from billwright.features.webhooks.port import WebhookMessage
from billwright.features.webhooks.rules.address import is_public
from billwright.providers.retry_after import retry_after_seconds
from billwright.providers.standard_webhooks import signed_headers
from billwright.runtime.telemetry.tracing import outgoing_headers

# One that is down in IPv6 may be up in IPv4; more than two tries would only take longer to fail.
_MOST_ADDRESSES = 2
_CONNECT_SECONDS = 5
_READ_BYTES = 1024
_KEPT_CHARACTERS = 500
_UNREADABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f]")

Resolver = Callable[[str, int], Awaitable[list[str]]]


class _NotPublic(Exception):  # noqa: N818 - it names the address
    """The name leads into a private network."""


async def _resolve(host: str, port: int) -> list[str]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class HttpsSender:
    """A `WebhookSender`. With a `policy` that is unrestricted, http and private addresses are allowed."""

    def __init__(
        self,
        policy: TargetPolicy,
        *,
        timeout_seconds: int = 15,
        resolve: Resolver = _resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._policy = policy
        self._seconds = timeout_seconds
        self._resolve = resolve
        # Reading the trust store takes longer than everything else here.
        self._tls = tls or ssl.create_default_context()

    async def send(self, message: WebhookMessage) -> WebhookAnswer:
        started = perf_counter()

        def unanswered(reason: str) -> WebhookAnswer:
            return WebhookAnswer(duration_ms=_milliseconds_since(started), error=reason)

        try:
            async with asyncio.timeout(self._seconds):
                return await self._send(message, started=started)
        except (TimeoutError, httpx2.TimeoutException):
            return unanswered(f"no answer within {self._seconds} seconds")
        except _NotPublic as refusal:
            return unanswered(str(refusal))
        except socket.gaierror:
            return unanswered("the host name leads nowhere")
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
            return unanswered(str(error)[:_KEPT_CHARACTERS] or type(error).__name__)

    async def _send(self, message: WebhookMessage, *, started: float) -> WebhookAnswer:
        url = httpx2.URL(message.url)
        if url.scheme != "https" and not self._policy.unrestricted:
            raise _NotPublic("webhooks go to https addresses only")
        host = url.host
        addresses = await self._addresses(host, url.port or (443 if url.scheme == "https" else 80))
        headers = {
            "host": url.netloc.decode("ascii"),
            "content-type": "application/json",
            "user-agent": f"Billwright/{__version__}",
            "accept-encoding": "identity",
            **outgoing_headers(),
            **signed_headers(
                message.id, message.body, secrets=message.secrets, sent_at=message.sent_at
            ),
        }
        async with httpx2.AsyncClient(
            verify=self._tls,
            timeout=httpx2.Timeout(self._seconds, connect=min(_CONNECT_SECONDS, self._seconds)),
            trust_env=False,
            follow_redirects=False,
        ) as client:
            for place, address in enumerate(addresses, start=1):
                request = client.build_request(
                    "POST",
                    url.copy_with(host=address),
                    content=message.body,
                    headers=headers,
                    extensions={"sni_hostname": host},
                )
                try:
                    response = await client.send(request, stream=True)
                except (httpx2.ConnectError, httpx2.ConnectTimeout):
                    if place == len(addresses):
                        raise
                    continue
                return await _answer(response, message, started=started)
        raise socket.gaierror(host)

    async def _addresses(self, host: str, port: int) -> list[str]:
        """Where to connect to. One private address among public ones is reason enough to distrust all."""
        addresses = await self._resolve(host, port)
        if not self._policy.unrestricted:
            for address in addresses:
                if not is_public(address):
                    raise _NotPublic(f"{host} leads to {address}, which is not a public address")
        return addresses[:_MOST_ADDRESSES]


async def _answer(
    response: httpx2.Response, message: WebhookMessage, *, started: float
) -> WebhookAnswer:
    try:
        beginning = b""
        async for chunk in response.aiter_raw():
            beginning += chunk
            if len(beginning) >= _READ_BYTES:
                break
    except httpx2.HTTPError:
        pass  # the status has come, and that is the answer
    finally:
        await response.aclose()
    text = beginning[:_READ_BYTES].decode("utf-8", "replace")
    return WebhookAnswer(
        duration_ms=_milliseconds_since(started),
        status=response.status_code,
        text=_UNREADABLE.sub("", text)[:_KEPT_CHARACTERS],
        retry_after_seconds=retry_after_seconds(
            response.headers.get("retry-after"), now=message.sent_at
        ),
    )


def _milliseconds_since(started: float) -> int:
    return round((perf_counter() - started) * 1000)
