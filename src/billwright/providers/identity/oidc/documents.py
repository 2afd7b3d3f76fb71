"""How are small JSON documents had from an issuer, whatever it answers?"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any

import httpx2
import msgspec

from billwright import __version__
from billwright.runtime.telemetry.tracing import outgoing_headers

_MOST_BYTES = 512 * 1024


class DocumentUnavailable(Exception):  # noqa: N818 - it names the answer
    """There was no such document; the text says what came instead."""


class Documents:
    """Asks without following redirects, for a bounded time, and reads a bounded number of bytes."""

    def __init__(self, *, timeout_seconds: float = 5) -> None:
        self._seconds = timeout_seconds
        # Reading the trust store takes longer than everything else here.
        self._tls = ssl.create_default_context()

    async def document(
        self,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        authorization: str | None = None,
    ) -> dict[str, Any]:
        """The JSON object at `url`, or the answer to `form` that is posted there."""
        headers = {
            "accept": "application/json",
            "accept-encoding": "identity",
            "user-agent": f"Billwright/{__version__}",
            **outgoing_headers(),
            **({} if authorization is None else {"authorization": authorization}),
        }
        try:
            async with (
                asyncio.timeout(self._seconds),
                httpx2.AsyncClient(
                    verify=self._tls, timeout=self._seconds, follow_redirects=False
                ) as client,
                client.stream(
                    "GET" if form is None else "POST", url, data=form, headers=headers
                ) as response,
            ):
                if response.status_code != 200:
                    raise DocumentUnavailable(f"{url} answered {response.status_code}")
                return msgspec.json.decode(await _content(response), type=dict[str, Any])
        except TimeoutError as error:
            raise DocumentUnavailable(f"{url} has not answered in {self._seconds} s") from error
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise DocumentUnavailable(f"{url}: {error!r}") from error
        except (ValueError, RecursionError) as error:
            raise DocumentUnavailable(f"{url} is no JSON object") from error


async def _content(response: httpx2.Response) -> bytes:
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > _MOST_BYTES:
            raise DocumentUnavailable(f"{response.url} is longer than {_MOST_BYTES} bytes")
    return bytes(content)
