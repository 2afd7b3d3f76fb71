"""What does a real SMTP server on this machine receive and answer?"""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

_GREETING = "220 test"


@dataclass
class TestServer:
    """`answers` replaces the reply to a command (by its first word; `.` is the end of the data,
    `220` the greeting); the answer `hang` sends nothing and `drop` closes the connection.
    """

    __test__ = False

    port: int = 0
    answers: Mapping[str, str] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    login: tuple[str, str] | None = None
    commands: list[str] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)
    secured: bool = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._say(writer, self.answers.get("220", _GREETING))
        while line := (await reader.readline()).decode().rstrip("\r\n"):
            self.commands.append(line)
            verb = line.split()[0].upper()
            answer = self.answers.get(verb) or self._usual_answer(line)
            await self._say(writer, answer)
            if verb == "STARTTLS" and answer.startswith("2"):
                await writer.start_tls(self.tls)
                self.secured = True
            elif verb == "DATA" and answer.startswith("3"):
                content = await reader.readuntil(b"\r\n.\r\n")
                final = self.answers.get(".", "250 accepted")
                if final.startswith("2"):
                    self.mails.append(content.removesuffix(b".\r\n"))
                await self._say(writer, final)
            elif verb == "QUIT":
                return

    def _usual_answer(self, line: str) -> str:
        verb, *words = line.split()
        match verb.upper():
            case "EHLO":
                offers = ["250-test", *(["250-STARTTLS"] if self.tls else [])]
                return "\r\n".join([*offers, *(["250-AUTH PLAIN"] if self.login else []), "250 OK"])
            case "AUTH":
                given = base64.b64decode(words[1]).decode().split("\0")[1:]
                return "235 ok" if tuple(given) == self.login else "535 wrong"
            case "STARTTLS":
                return "220 go ahead"
            case "DATA":
                return "354 go on"
            case "QUIT":
                return "221 bye"
            case _:
                return "250 ok"

    @staticmethod
    async def _say(writer: asyncio.StreamWriter, answer: str) -> None:
        if answer == "hang":
            await asyncio.sleep(30)
        if answer == "drop":
            raise ConnectionError
        writer.write(f"{answer}\r\n".encode())
        await writer.drain()


@asynccontextmanager
async def running(
    server: TestServer, *, implicit_tls: ssl.SSLContext | None = None
) -> AsyncIterator[TestServer]:
    """On a free port of 127.0.0.1 until the block ends."""
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(server.serve(reader, writer)))

    listener = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=implicit_tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
