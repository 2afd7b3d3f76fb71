"""Is there a way for a secret into a log line?"""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.runtime.telemetry.redaction import (
    REDACTED,
    is_secret_name,
    redacted,
    redacted_line,
    redacted_text,
)

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"
SECRETS = [
    "bw_live_0123456789abcdefghij",
    "sk_test_4eC39HqLyjWDarjtT1zdp7dc",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    JWT,
    "4242424242424242",
    "4242 4242 4242 4242",
    "5555-5555-5555-4444",
    "378282246310005",
    "DE89370400440532013000",
    "DE89 3704 0044 0532 0130 00",
    "jane.doe@example.com",
]
secrets = st.sampled_from(SECRETS)
words = st.from_regex(r"[a-z]{0,12}", fullmatch=True)


def texts_with(secret: str) -> st.SearchStrategy[str]:
    return st.tuples(words, words).map(lambda around: f"{around[0]} {secret} {around[1]}")


def structures_with(leaf: object) -> st.SearchStrategy[object]:
    return st.recursive(
        st.just(leaf),
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=2),
            st.tuples(inner, st.integers()),
            st.dictionaries(words, inner, min_size=1, max_size=2),
        ),
        max_leaves=4,
    )


@given(secrets.flatmap(lambda secret: st.tuples(st.just(secret), texts_with(secret))))
def test_a_secret_is_found_in_any_text(case):
    secret, text = case
    assert secret not in redacted_text(text)


@given(
    secrets.flatmap(
        lambda secret: st.tuples(st.just(secret), texts_with(secret).flatmap(structures_with))
    )
)
def test_a_secret_is_found_in_any_structure_and_the_result_is_json(case):
    secret, structure = case
    written = json.dumps(redacted_line({"event": "x", "value": structure}), default=str)
    assert secret not in written


@given(
    st.sampled_from(
        [
            *("password", "api_key", "Authorization", "X-API-Key", "stripe-signature"),
            *("client_secret", "accessToken", "ENCRYPTION_KEY", "DATABASE_URL", "Set-Cookie"),
            *("cvc", "card", "cardNumber", "card_number", "webhookSecret", "user_pwd"),
        ]
    ),
    structures_with("hunter2 opens the door"),
)
def test_what_is_logged_under_a_secret_name_is_gone_whatever_it_is(name, value):
    assert redacted_line({name: value}) == {name: REDACTED}
    assert redacted({"deep": [{name: value}]}) == {"deep": [{name: REDACTED}]}


@pytest.mark.parametrize(
    "name",
    [
        *("account_id", "idempotency_key", "plan_code", "event", "keyboard", "author", "passage"),
        *("dedupe_key", "discarded", "pinned", "company", "spanner"),
    ],
)
def test_ordinary_names_are_kept(name):
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "postgresql://billwright:hunter2@db.internal:5432/billing",
            "postgresql://billwright:[redacted]@db.internal:5432/billing",
        ),
        ("Authorization: Bearer abc.def-123", "Authorization: [redacted]"),
        ("sent Basic dXNlcjpwYXNz to it", "sent Basic [redacted] to it"),
        ("password=hunter2&user=jane", "password=[redacted]&user=jane"),
        ('{"client_secret": "hunter2 x", "b": 1}', '{"client_secret": [redacted], "b": 1}'),
        ("jane.doe@example.com wrote", "j***@example.com wrote"),
        ("card 4242424242424242 declined", "card [card 4242] declined"),
        ("DE89370400440532013000", "DE89***3000"),
    ],
)
def test_how_a_secret_is_replaced(text, expected):
    assert redacted_text(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "/api/billing/subscriptions/0190b3d2-5000-7000-8000-000000000001/cancel",
        "4242424242424241",  # no card: its check digit is wrong
        "invoice 2026-000123 of 2026-01-31T08:30:00Z",
        "DE88370400440532013000",
        "duration 12.424242424242424",
        "a@b",
        "token bucket is full",
    ],
)
def test_ordinary_texts_are_kept(text):
    assert redacted_text(text) == text


@given(st.uuids().map(str))
def test_an_identifier_is_kept(identifier):
    assert redacted_text(f"/accounts/{identifier}/invoices") == f"/accounts/{identifier}/invoices"


def test_a_card_number_written_as_a_number_is_found():
    assert redacted({"n": 4242424242424242, "count": 10**15 + 1}) == {
        "n": "[card 4242]",
        "count": 10**15 + 1,
    }


def test_bytes_objects_and_endless_structures_become_text():
    endless: list[object] = []
    endless.append(endless)

    class Holder:
        def __repr__(self) -> str:
            return "Holder(token='hunter2')"

    assert redacted(b"password=hunter2") == "password=[redacted]"
    assert redacted(Holder()) == "Holder(token=[redacted])"
    assert "[too deep]" in json.dumps(redacted(endless))


@pytest.mark.parametrize(
    "part",
    ["a", "eyJ-", "key", "a_key-", "4", "4 ", "AA00", "a@", "://a:", "bearer ", "token=", "'"],
)
def test_no_text_makes_a_line_expensive(part):
    started = time.perf_counter()
    assert len(redacted_text(part * 1_000_000)) < 200_000
    assert time.perf_counter() - started < 1
