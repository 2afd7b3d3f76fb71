"""How is a long list read page by page?

By cursor: the key of the last row seen, so that rows inserted meanwhile neither repeat nor hide
others. A cursor is bound to the list and the filters it was given for.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2s
from typing import Annotated, Generic, TypeVar

import msgspec
from fastapi import Depends, Query
from pydantic import BaseModel, Field

from billwright.surfaces.web.errors import cursor_invalid

Key = TypeVar("Key", bound=tuple[object, ...])
Row = TypeVar("Row")
Item = TypeVar("Item")

DEFAULT_LIMIT = 20
LARGEST_LIMIT = 100
_TAG_BYTES = 8


class Page(BaseModel, Generic[Item]):
    """One page of a list."""

    data: list[Item]
    next_cursor: Annotated[
        str | None, Field(description="Pass it as `cursor` to read on; null on the last page.")
    ]
    has_more: bool


@dataclass(frozen=True, slots=True)
class PageRequest:
    """How much of a list is asked for, and after which row."""

    limit: int
    cursor: str | None


def _page_request(
    limit: Annotated[
        int, Query(ge=1, le=LARGEST_LIMIT, description="The most items to return.")
    ] = DEFAULT_LIMIT,
    cursor: Annotated[
        str | None,
        Query(max_length=1024, description="The `next_cursor` of the page before."),
    ] = None,
) -> PageRequest:
    return PageRequest(limit, cursor)


PageParameters = Annotated[PageRequest, Depends(_page_request)]
"""The route parameter that reads `limit` and `cursor`."""


class Listing(Generic[Key]):
    """A list that is read in the order of `key_type`, for example `tuple[datetime, UUID]`.

    The query returns rows strictly after `after(...)` and one row more than the page holds:
    `limit=page.limit + 1`.
    """

    def __init__(self, name: str, key_type: type[Key]) -> None:
        self._name = name
        self._decoder = msgspec.json.Decoder(key_type)

    def after(
        self, page: PageRequest, *, filters: Mapping[str, object] | None = None
    ) -> Key | None:
        """The key to read on from; none on the first page. Refuses `cursor_invalid`."""
        if page.cursor is None:
            return None
        try:
            raw = urlsafe_b64decode(page.cursor + "=" * (-len(page.cursor) % 4))
            key = self._decoder.decode(raw[_TAG_BYTES:])
        except (Base64Error, ValueError) as error:
            raise cursor_invalid() from error
        if raw[:_TAG_BYTES] != self._tag(filters) or not all(map(_queryable, key)):
            raise cursor_invalid()
        return key

    def page(
        self,
        rows: Sequence[Row],
        page: PageRequest,
        *,
        filters: Mapping[str, object] | None = None,
        key: Callable[[Row], Key],
        to_response: Callable[[Row], Item],
    ) -> Page[Item]:
        """The page of the rows read, which may be one more than it holds."""
        shown = rows[: page.limit]
        has_more = len(rows) > page.limit
        return Page(
            data=[to_response(row) for row in shown],
            next_cursor=self.cursor_at(key(shown[-1]), filters=filters) if has_more else None,
            has_more=has_more,
        )

    def cursor_at(self, key: Key, *, filters: Mapping[str, object] | None = None) -> str:
        """The cursor behind the row of that key."""
        raw = self._tag(filters) + msgspec.json.encode(key)
        return urlsafe_b64encode(raw).rstrip(b"=").decode()

    def _tag(self, filters: Mapping[str, object] | None) -> bytes:
        given = {name: value for name, value in (filters or {}).items() if value is not None}
        content = msgspec.json.encode((self._name, given), enc_hook=str, order="deterministic")
        return blake2s(content, digest_size=_TAG_BYTES).digest()


def _queryable(value: object) -> bool:
    """A cursor is not signed: what the database would reject must be refused here."""
    if isinstance(value, str):
        return "\x00" not in value
    return not isinstance(value, datetime) or value.tzinfo is not None
