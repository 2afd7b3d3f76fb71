"""How do tests reach localstripe, somebody else's model of Stripe?

What it has not, at version 1.15: Checkout, idempotency keys, a search, lists by `created`, refunds that
are bounded, and the payment intent of a decline. The fake Stripe is there for those.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

_KEY = "sk_test_local"


@contextmanager
def local_stripe() -> Iterator[str]:
    """The address of a fresh one, in a process that is stopped by its id."""
    script = Path(__file__).with_name("local_stripe_process.py")
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", str(script)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        port = process.stdout.readline().strip()
        assert port.isdecimal(), "localstripe has not come up"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


async def asked(url: str, path: str, **form: Any) -> dict[str, Any]:
    """What a seller's own program would do: make customers and methods."""
    headers = {"Authorization": f"Bearer {_KEY}"}
    async with httpx2.AsyncClient() as client:
        response = await client.post(f"{url}/v1/{path}", data=form, headers=headers)
    response.raise_for_status()
    answer: dict[str, Any] = response.json()
    return answer


async def callbacks_of(url: str, *, secret: str, count: int) -> list[tuple[dict[str, str], bytes]]:
    """The next callbacks that it delivers, as they come over the wire."""
    arrived: asyncio.Queue[tuple[dict[str, str], bytes]] = asyncio.Queue()

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        body = await reader.readexactly(int(headers["Content-Length"]))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()
        arrived.put_nowait((headers, body))

    server = await asyncio.start_server(receive, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        async with httpx2.AsyncClient() as client:
            await client.post(
                f"{url}/_config/webhooks/tests",
                json={"url": f"http://127.0.0.1:{port}/", "secret": secret},
            )
        return [await asyncio.wait_for(arrived.get(), 20) for _ in range(count)]
    finally:
        server.close()
