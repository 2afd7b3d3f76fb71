"""How does a command talk to a running server? As any other client does, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from billwright.kernel.ids import new_id

JsonObject = dict[str, Any]

_TIMEOUT_SECONDS = 60
_PAGE = 100


class ApiRefused(Exception):  # noqa: N818 - an answer of the server
    """The server said no, or something that is no answer of this API; the text says what."""


class ApiUnreachable(Exception):  # noqa: N818 - an answer to the operator
    """No server answers at the address."""


class ApiClient:
    """The platform API of one server, in the name of one API key; to be closed after use."""

    def __init__(self, url: str, *, key: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ApiUnreachable(f"{url} is no address; one looks like http://127.0.0.1:3200")
        connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = connect(parts.hostname, parts.port, timeout=_TIMEOUT_SECONDS)
        self._url = url
        self._path = f"{parts.path.rstrip('/')}/api/billing"
        self._key = key

    def close(self) -> None:
        self._connection.close()

    def get(self, path: str) -> JsonObject:
        """The answer to a question."""
        return self._json("GET", path=path)

    def post(
        self, path: str, body: JsonObject, *, idempotency_key: str | None = None
    ) -> JsonObject:
        """The answer to a change; every one has an idempotency key, given or fresh."""
        headers = {"Idempotency-Key": idempotency_key or str(new_id())}
        return self._json("POST", path=path, body=json.dumps(body).encode(), headers=headers)

    def download(self, path: str) -> bytes:
        """The content of a file."""
        return self._answered("GET", path=path)[1]

    def all(self, path: str, **filters: str) -> Iterator[JsonObject]:
        """Every item of a list, page by page."""
        query = {**filters, "limit": str(_PAGE)}
        while True:
            page = self.get(f"{path}?{urlencode(query)}")
            yield from page["data"]
            if not page["has_more"]:
                return
            query["cursor"] = page["next_cursor"]

    def _json(
        self,
        method: str,
        *,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> JsonObject:
        answer, content = self._answered(method, path=path, body=body, headers=headers)
        try:
            value = json.loads(content)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise ApiRefused(f"{method} {path}: {answer.status}, which is no answer of Billwright")
        return value

    def _answered(
        self,
        method: str,
        *,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[HTTPResponse, bytes]:
        sent = {"Authorization": f"Bearer {self._key}", **(headers or {})}
        if body is not None:
            sent["Content-Type"] = "application/json"
        try:
            self._connection.request(method, self._path + path, body=body, headers=sent)
            answer = self._connection.getresponse()
            content = answer.read()
        except (OSError, HTTPException) as error:
            raise ApiUnreachable(
                f"No Billwright answers at {self._url} ({error}). "
                "Start one with `billwright up`, or name another with --url."
            ) from error
        if answer.status >= 400:
            raise ApiRefused(f"{method} {path}: {answer.status} {_reason(content)}")
        return answer, content


def _reason(content: bytes) -> str:
    """What a problem document says, as one line."""
    try:
        problem = json.loads(content)
        details = [
            f"{each.get('pointer', '')}: {each['detail']}" for each in problem.get("errors", ())
        ]
        return " ".join([problem["code"], problem.get("detail", ""), *details])
    except (ValueError, KeyError, TypeError, AttributeError):
        return content[:200].decode(errors="replace")
