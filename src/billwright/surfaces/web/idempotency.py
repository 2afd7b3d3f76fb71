"""What happens when the same change is asked for twice?

It is made once. The key is claimed and the answer stored in the transaction that makes the change,
so that there is no moment in which one exists without the other. A repetition that arrives while
the first is still running waits for its row, then replays it. A refused request stores nothing and
may be repeated.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated

import msgspec
from fastapi import Depends, Header
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from billwright.kernel.refusal import Refusal
from billwright.runtime.db.errors import busy, idempotency_key_in_use
from billwright.runtime.db.idempotency import NamedRequest, StoredResponse, claim, store
from billwright.runtime.db.tx import Tx
from billwright.surfaces.web.errors import idempotency_key_invalid

REPLAYED = "Idempotent-Replayed"
_JSON = msgspec.json.Decoder(float_hook=str)


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """A request with what tells its repetition from another one, and the status of its success."""

    named: NamedRequest
    status: int

    @property
    def operation(self) -> str:
        """The route's name, which says what a transaction was opened for."""
        return self.named.operation


async def once(
    opening: AbstractAsyncContextManager[Tx],
    request: IdempotentRequest,
    *,
    work: Callable[[Tx], Awaitable[BaseModel | bytes | None]],
) -> Response:
    """Do `work` in the transaction that `opening` opens, or replay what it answered before. It may
    answer with JSON as bytes, where a model for each of many parts would take long.

    Refuses `idempotency_key_reused` and, when the first request holds its row for longer than the
    connection's lock timeout, `idempotency_key_in_use`.
    """
    claimed = False
    try:
        async with opening as tx:
            stored = await claim(tx, request.named)
            if stored is not None:
                return _response(stored, {REPLAYED: "true"})
            claimed = True
            answer = await work(tx)
            body = answer if isinstance(answer, bytes) else _written(answer)
            made = StoredResponse(request.status, body)
            await store(tx, request.named, response=made)
    except Refusal as refusal:
        if not claimed and refusal.code == busy.code:
            raise idempotency_key_in_use() from refusal
        raise
    return _response(made, {})


def _written(answer: BaseModel | None) -> bytes:
    return b"" if answer is None else answer.model_dump_json(by_alias=True).encode()


def as_it_stands(answer: Response, now: BaseModel) -> Response:
    """The answer to a request, or to its repetition, that says how things stand now: where the first
    one only began what goes on after its commit.
    """
    replayed = {REPLAYED: answer.headers[REPLAYED]} if REPLAYED in answer.headers else {}
    content = now.model_dump_json(by_alias=True)
    return Response(content, answer.status_code, replayed, media_type="application/json")


def request_digest(*, method: str, path: str, query: bytes, body: bytes) -> bytes:
    """SHA-256 of what is asked for; the order of members and white space in JSON do not count."""
    with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        body = msgspec.json.encode(_JSON.decode(body), order="deterministic")
    return sha256(msgspec.msgpack.encode((method, path, query, body))).digest()


def _response(response: StoredResponse, headers: dict[str, str]) -> Response:
    media_type = "application/json" if response.body else None
    return Response(response.body, response.status, headers, media_type)


async def _idempotent_request(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(
            description="Names this change: a repetition with the same key within 24 hours "
            "replays the first answer with `Idempotent-Replayed: true`. 1 to 255 printable ASCII "
            "characters.",
            json_schema_extra={"minLength": 1, "maxLength": 255, "pattern": "^[ -~]*$"},
        ),
    ] = None,
) -> IdempotentRequest:
    route = request.scope["route"]
    return await named_request(request, idempotency_key, status=route.status_code or 200)


async def named_request(
    request: Request, idempotency_key: str | None, *, status: int, body: bytes | None = None
) -> IdempotentRequest:
    """What tells a repetition from another request; without a key nothing does, and nothing is computed.
    `body` is the request's where somebody has read it already.

    Refuses: `idempotency_key_invalid`.
    """
    operation: str = request.scope["route"].name
    if idempotency_key is None:
        return IdempotentRequest(NamedRequest(None, b"", operation), status)
    if not _is_key(idempotency_key):
        raise idempotency_key_invalid()
    digest = request_digest(
        method=request.method,
        path=request.url.path,
        query=request.scope["query_string"],
        body=await request.body() if body is None else body,
    )
    return IdempotentRequest(NamedRequest(idempotency_key, digest, operation), status)


def _is_key(text: str) -> bool:
    return 1 <= len(text) <= 255 and all(" " <= character <= "~" for character in text)


Idempotent = Annotated[IdempotentRequest, Depends(_idempotent_request)]
"""The route parameter that reads `Idempotency-Key`."""
