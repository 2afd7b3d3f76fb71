"""Do answers leave whole, in order, and soon?"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import uvicorn

from billwright.entrypoints.http_protocol import GatheringProtocol


@dataclass
class Peer:
    """A connection that keeps what is written to it, call by call."""

    written: list[bytes] = field(default_factory=list)
    closed: bool = False

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.written.append(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def get_extra_info(self, _name: str) -> None:
        return None

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


def connected(answer) -> tuple[GatheringProtocol, Peer]:
    config = uvicorn.Config(answer, lifespan="off", log_config=None)
    config.load()
    state = uvicorn.server.ServerState()
    protocol = GatheringProtocol(config, server_state=state, app_state={})
    peer = Peer()
    protocol.connection_made(peer)  # type: ignore[arg-type]
    return protocol, peer


def request(path: str, *, last: bool = False) -> bytes:
    end = "Connection: close\r\n" if last else ""
    return f"GET {path} HTTP/1.1\r\nHost: test\r\n{end}\r\n".encode()


async def says_its_path(scope, _receive, send):
    body = scope["path"].encode()
    head = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": body})


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_head_and_body_leave_together_and_with_those_of_others():
    (one, to_one), (other, to_other) = connected(says_its_path), connected(says_its_path)
    one.data_received(request("/one"))
    other.data_received(request("/other"))
    await turns(3)
    for peer, path in ((to_one, b"/one"), (to_other, b"/other")):
        [answer] = peer.written
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert answer.endswith(b"\r\n\r\n" + path)


async def test_requests_that_come_together_are_answered_in_their_order():
    protocol, peer = connected(says_its_path)
    protocol.data_received(request("/1") + request("/2") + request("/3"))
    await turns(10)
    text = b"".join(peer.written)
    assert [part.split(b"\r\n\r\n")[1] for part in text.split(b"HTTP/1.1 200 OK")[1:]] == [
        b"/1",
        b"/2",
        b"/3",
    ]


async def test_what_is_said_last_leaves_before_the_connection_is_closed():
    protocol, peer = connected(says_its_path)
    protocol.data_received(request("/last", last=True))
    await turns(3)
    assert peer.closed
    assert b"".join(peer.written).endswith(b"/last")


async def test_a_long_answer_does_not_gather():
    parts = 40

    async def long(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for number in range(parts):
            await send({"type": "http.response.body", "body": b"x" * 10_000, "more_body": True})
            kept = 10_000 * (number + 1) - sum(map(len, peer.written))
            assert kept <= 64 * 1024
        await send({"type": "http.response.body"})
        finished.set()

    finished = asyncio.Event()
    protocol, peer = connected(long)
    protocol.data_received(request("/"))
    await finished.wait()
    await turns(2)
    assert b"".join(peer.written).count(b"x") == 10_000 * parts


async def test_nothing_is_written_to_who_has_gone():
    protocol, peer = connected(says_its_path)
    protocol.data_received(request("/"))
    asyncio.get_running_loop().call_soon(peer.close)
    await turns(3)
    assert peer.closed  # and `write` would have said so
