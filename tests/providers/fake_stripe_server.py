"""How is the fake Stripe reached over HTTP, and how does it fail on the way?"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.providers.fake_stripe import KEYS_KEPT_SECONDS, ApiError, FakeStripe, payment_method


class Fault(StrEnum):
    """What happens to one POST instead of an answer; `after` the work is done, `before` it is not."""

    RESET_BEFORE = "reset_before"
    RESET_AFTER = "reset_after"
    SILENT_BEFORE = "silent_before"
    SILENT_AFTER = "silent_after"
    ERROR_BEFORE = "error_before"
    ERROR_AFTER = "error_after"
    GATEWAY_AFTER = "gateway_after"
    LIMITED = "limited"
    UNAUTHORIZED = "unauthorized"


_REFUSALS: dict[Fault | None, tuple[int, str]] = {
    Fault.ERROR_BEFORE: (500, "api_error"),
    Fault.LIMITED: (429, "rate_limit"),
    Fault.UNAUTHORIZED: (401, "api_key_expired"),
}


class FakeServer:
    """One POST after the other meets the `faults`; those that follow are answered as they should be.

    `working` is how long a request is being worked on, while a second one with its key conflicts.
    """

    def __init__(self, stripe: FakeStripe) -> None:
        self.stripe = stripe
        self.faults: list[Fault] = []
        self.working: float = 0  # seconds
        self.port = 0
        self._hanging = asyncio.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            line, *rest = head.split("\r\n")
            headers = dict(each.split(": ", 1) for each in rest if each)
            headers = {name.lower(): value for name, value in headers.items()}
            body = (await reader.readexactly(int(headers.get("content-length", 0)))).decode()
            method, target, _ = line.split(" ")
            answer = await self._answer(
                method, target, body=body, key=headers.get("idempotency-key")
            )
            if answer is not None:
                writer.write(answer)
                await writer.drain()
            else:
                writer.transport.abort()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(
        self, method: str, target: str, *, body: str, key: str | None
    ) -> bytes | None:
        """The bytes to send; none to break the connection."""
        parts = urlsplit(target)
        fault = self.faults.pop(0) if method == "POST" and self.faults else None
        self.stripe.requests.append((method, parts.path, key))
        if fault in {Fault.RESET_BEFORE, Fault.SILENT_BEFORE}:
            return await self._broken(fault)
        if fault in _REFUSALS:
            status, code = _REFUSALS[fault]
            return _response(status, _error(status, code))
        params = _nested(parse_qsl(body if method == "POST" else parts.query))
        if method == "GET":
            try:
                return _response(*self._got(parts.path, params))
            except ApiError as error:
                return _response(error.status, error.body)
        status, answer = await self._posted(parts.path, params, key=key, fault=fault)
        if fault in {Fault.RESET_AFTER, Fault.SILENT_AFTER}:
            return await self._broken(fault)
        gateway = (502, "<html>Bad Gateway</html>")
        return _response(*(gateway if fault is Fault.GATEWAY_AFTER else (status, answer)))

    async def _broken(self, fault: Fault) -> None:
        if fault in {Fault.SILENT_BEFORE, Fault.SILENT_AFTER}:
            await self._hanging.wait()

    async def _posted(
        self, path: str, params: dict[str, Any], *, key: str | None, fault: Fault | None
    ) -> tuple[int, Any]:
        """Under an idempotency key."""
        assert key is not None
        known = self.stripe.keys.get(key)
        if known is not None and self.stripe.now - known["at"] < KEYS_KEPT_SECONDS:
            if (known["path"], known["params"]) != (path, params):
                return 400, _error(400, "idempotency_error", kind="idempotency_error")
            if "answer" not in known:
                return 409, _error(409, "idempotency_key_in_use", kind="idempotency_error")
            return known["answer"]
        under_way = {"path": path, "params": deepcopy(params), "at": self.stripe.now}
        self.stripe.keys[key] = under_way
        await asyncio.sleep(self.working)
        try:
            answer = 200, deepcopy(self._done(path, params))
        except ApiError as error:
            answer = error.status, deepcopy(error.body)
            if error.status in {400, 404}:  # failed validation is not remembered
                del self.stripe.keys[key]
        if fault is Fault.ERROR_AFTER:
            answer = 500, _error(500, "api_error")
        under_way["answer"] = answer
        return answer

    def _done(self, path: str, params: dict[str, Any]) -> dict[str, Any]:
        match path.removeprefix("/v1/").split("/"):
            case ["payment_intents"]:
                return self.stripe.create_payment_intent(params)
            case ["payment_intents", intent_id, "cancel"]:
                return self.stripe.cancel_payment_intent(intent_id, params)
            case ["checkout", "sessions"]:
                return self.stripe.create_session(params)
            case ["checkout", "sessions", session_id, "expire"]:
                return self.stripe.expire_session(session_id)
            case ["refunds"]:
                return self.stripe.create_refund(params)
            case ["payment_methods", method_id, "detach"]:
                return self.stripe.detach_payment_method(method_id)
        raise ApiError(404, "unknown_path")

    def _got(self, path: str, params: dict[str, Any]) -> tuple[int, Any]:
        kinds = {
            "payment_intents": "payment_intent",
            "checkout/sessions": "checkout.session",
            "setup_intents": "setup_intent",
            "refunds": "refund",
            "disputes": "dispute",
        }
        place = path.removeprefix("/v1/")
        if place == "payment_intents/search":
            return 200, self._found(params["query"])
        if place in kinds:
            return 200, self._listed(kinds[place], params)
        kind, _, name = place.rpartition("/")
        if kind == "payment_methods":
            return 200, self.stripe.payment_method(name)
        thing = self.stripe.things.get(name)
        if thing is None:
            return 404, _error(404, "resource_missing")
        if "payment_method" in params.get("expand", []) and thing["payment_method"]:
            thing = {**thing, "payment_method": payment_method(thing["payment_method"])}
        return 200, thing

    def _listed(self, kind: str, params: dict[str, Any]) -> dict[str, Any]:
        things, created = self.stripe.of(kind), params.get("created", {})
        since, until = int(created.get("gte", 0)), int(created.get("lt", 2**40))
        things = [each for each in things if since <= each["created"] < until]
        if "payment_intent" in params:
            things = [each for each in things if each["payment_intent"] == params["payment_intent"]]
        if "starting_after" in params:
            ids = [each["id"] for each in things]
            things = things[ids.index(params["starting_after"]) + 1 :]
        limit = int(params.get("limit", 10))
        page = things[:limit]
        return {"object": "list", "data": page, "has_more": len(things) > limit, "url": "/v1"}

    def _found(self, query: str) -> dict[str, Any]:
        match = re.fullmatch(r"metadata\['provider_key'\]:'([^']+)'", query)
        assert match is not None
        data = [
            each
            for each in self.stripe.of("payment_intent")
            if each["metadata"].get("provider_key") == match[1] and not self.stripe.search_lags
        ]
        return {"object": "search_result", "data": data, "has_more": False, "url": "/v1"}

    def release(self) -> None:
        """Let go of the requests that were never answered."""
        self._hanging.set()


@asynccontextmanager
async def fake_stripe() -> AsyncIterator[FakeServer]:
    """A fresh account on a free port of this machine."""
    fake = FakeServer(FakeStripe())
    server = await asyncio.start_server(fake.serve, "127.0.0.1", 0)
    fake.port = server.sockets[0].getsockname()[1]
    try:
        yield fake
    finally:
        fake.release()
        server.close()
        await asyncio.sleep(0)


def _error(status: int, code: str, *, kind: str = "api_error") -> dict[str, Any]:
    return {"error": {"type": kind, "code": code, "message": f"{status} {code}"}}


def _response(status: int, answer: Any) -> bytes:
    if isinstance(answer, dict):
        public = {name: value for name, value in answer.items() if name[0] != "_"}
        answer = json.dumps(public, default=str)
    content = answer.encode()
    return (
        f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nrequest-id: req_1\r\n"
        f"content-length: {len(content)}\r\nconnection: close\r\n\r\n"
    ).encode() + content


def _nested(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """`a[b][0]=c` as `{"a": {"b": ["c"]}}`."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        *path, last = re.findall(r"[^\[\]]+", name)
        place = tree
        for step in path:
            place = place.setdefault(step, {})
        place[last] = value
    return _with_lists(tree)


def _with_lists(tree: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    if tree and all(name.isdecimal() for name in tree):
        return [_with_lists(value) for value in tree.values()]
    return {name: _with_lists(value) for name, value in tree.items()}
