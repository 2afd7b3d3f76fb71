"""How do tests play VIES? A server on this machine that answers as it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any


class FakeVies:
    """Answers `POST /check-vat-number`; `answers` maps a number to a status and a body.

    A body that is no text is sent as JSON; without an answer the server keeps silent.
    """

    def __init__(self, answers: dict[str, tuple[int, Any]]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            lines = head.split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
            body = json.loads(await reader.readexactly(int(headers["content-length"])))
            self.asked.append((lines[0], body))
            if body["vatNumber"] not in self.answers:
                await reader.read()  # until the client has gone
                return
            status, answer = self.answers[body["vatNumber"]]
            content = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
            writer.write(
                f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n"
                f"content-length: {len(content)}\r\nconnection: close\r\n\r\n".encode()
                + content
            )
            await writer.drain()
        finally:
            writer.close()


@asynccontextmanager
async def fake_vies(answers: dict[str, tuple[int, Any]]) -> AsyncIterator[FakeVies]:
    fake = FakeVies(answers)
    server = await asyncio.start_server(fake.serve, "127.0.0.1", 0)
    fake.port = server.sockets[0].getsockname()[1]
    try:
        yield fake
    finally:
        server.close()
