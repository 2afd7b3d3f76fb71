"""Do pages cover a list once, and only for cursors that were given out?"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from billwright.kernel.ids import new_id
from billwright.kernel.refusal import Refusal
from billwright.surfaces.web.pages import Listing, Page, PageParameters, PageRequest
from billwright.surfaces.web.problems import install_problem_handlers
from billwright.surfaces.web.wire import ResponseModel

START = datetime(2026, 1, 31, tzinfo=UTC)
Row = tuple[datetime, UUID]
ROWS: list[Row] = [(START + timedelta(minutes=number // 3), new_id()) for number in range(45)]


class Item(ResponseModel):
    id: UUID


ITEMS = Listing("items", tuple[datetime, UUID])


def application() -> FastAPI:
    app = FastAPI()
    install_problem_handlers(app)

    @app.get("/items")
    async def list_items(page: PageParameters, status: str | None = None) -> Page[Item]:
        filters = {"status": status}
        after = ITEMS.after(page, filters=filters)
        rows = [row for row in ROWS if after is None or row > after][: page.limit + 1]
        return ITEMS.page(
            rows,
            page,
            filters=filters,
            key=lambda row: row,
            to_response=lambda row: Item(id=row[1]),
        )

    return app


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(application())


@pytest.mark.parametrize("limit", [1, 7, 44, 45, 46, 100])
def test_pages_cover_the_list_once_and_in_order(client, limit):
    seen: list[str] = []
    parameters: dict[str, str | int] = {"limit": limit}
    while True:
        page = client.get("/items", params=parameters).json()
        seen += [item["id"] for item in page["data"]]
        assert page["has_more"] is (page["next_cursor"] is not None)
        if not page["has_more"]:
            break
        assert len(page["data"]) == limit
        parameters["cursor"] = page["next_cursor"]

    assert seen == [str(row[1]) for row in ROWS]


def test_a_page_has_twenty_items_unless_asked_otherwise(client):
    assert len(client.get("/items").json()["data"]) == 20


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "1.5"])
def test_limits_outside_one_to_a_hundred_are_invalid(client, limit):
    assert client.get("/items", params={"limit": limit}).status_code == 422


def cursor_of(page: PageRequest, listing: Listing[Row], **filters: object) -> str:
    cursor = listing.page(
        ROWS, page, filters=filters, key=lambda row: row, to_response=lambda row: row[1]
    ).next_cursor
    assert cursor is not None
    return cursor


def test_a_cursor_of_another_list_or_filter_is_refused(client):
    first = PageRequest(3, None)
    other_list = cursor_of(first, Listing("others", tuple[datetime, UUID]))
    other_filter = cursor_of(first, ITEMS, status="open")
    own = cursor_of(first, ITEMS, status=None)

    assert client.get("/items", params={"cursor": own}).status_code == 200
    for cursor in (other_list, other_filter):
        response = client.get("/items", params={"cursor": cursor})
        assert (response.status_code, response.json()["code"]) == (422, "cursor_invalid")
    open_items = client.get("/items", params={"cursor": other_filter, "status": "open"})
    assert open_items.status_code == 200


def test_a_forged_cursor_never_reaches_the_database():
    names = Listing("names", tuple[str, datetime])
    cursor = names.page(
        [("a", START), ("b", START)],
        PageRequest(1, None),
        key=lambda row: row,
        to_response=lambda row: row[0],
    ).next_cursor
    assert cursor is not None
    tag = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))[:8]

    def forged(key: bytes) -> PageRequest:
        return PageRequest(1, urlsafe_b64encode(tag + key).decode())

    assert names.after(forged(b'["x","2026-01-31T00:00:00Z"]')) == ("x", START)
    for key in (
        b'["a\\u0000","2026-01-31T00:00:00Z"]',
        b'["a","2026-01-31T00:00:00"]',
        b'["a"]',
        b'["a",3]',
        b"",
    ):
        with pytest.raises(Refusal, match="cursor"):
            names.after(forged(key))


@given(st.text(max_size=200))
def test_no_text_is_taken_for_a_cursor_by_accident(text):
    with pytest.raises(Refusal) as refused:
        ITEMS.after(PageRequest(20, text))
    assert refused.value.code == "cursor_invalid"


@given(st.datetimes(timezones=st.just(UTC)), st.uuids())
def test_a_cursor_gives_back_its_key_exactly(at, identifier):
    page = ITEMS.page(
        [(at, identifier)] * 2,
        PageRequest(1, None),
        key=lambda row: row,
        to_response=lambda row: row[1],
    )
    assert ITEMS.after(PageRequest(1, page.next_cursor)) == (at, identifier)
