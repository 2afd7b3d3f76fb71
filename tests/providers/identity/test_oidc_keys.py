"""When is the issuer asked for its keys, and what serves while it says nothing?"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from billwright.features.identity.port import IssuerUnavailable, TokenIssuer, TokenRefused
from billwright.providers.identity.oidc.documents import Documents
from billwright.providers.identity.oidc.published import Publication
from billwright.providers.identity.oidc.reach import Reach
from billwright.runtime.clock import FixedClock
from tests.conftest import NOON
from tests.providers.identity.fake_issuer import (
    DISCOVERY,
    KEYS,
    NEXT_RSA,
    RSA,
    FakeIssuer,
    issuer_of,
)

HOUR = timedelta(hours=1)
BOTH = [DISCOVERY, KEYS]


async def settled(fake: FakeIssuer, *, asked: list[str]) -> None:
    """Waits for what goes on in the background."""
    for _ in range(500):
        if fake.asked == asked:
            break
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    assert fake.asked == asked


async def test_many_tokens_at_once_ask_once(fake: FakeIssuer, issuer: TokenIssuer):
    fake.released.clear()
    waiting = [asyncio.create_task(issuer.verify(fake.token(sub=f"u{n}"))) for n in range(20)]
    await settled(fake, asked=[DISCOVERY])
    waiting[0].cancel()  # who asked first goes away, and the others are answered all the same
    fake.released.set()
    subjects = [vouched.subject for vouched in await asyncio.gather(*waiting[1:])]
    assert subjects == [f"u{n}" for n in range(1, 20)]
    assert fake.asked == BOTH


async def test_a_new_key_counts_at_once_and_an_old_one_until_its_hour_is_over(
    fake: FakeIssuer, issuer: TokenIssuer, clock: FixedClock
):
    await issuer.verify(fake.token())
    clock.move_to(NOON + timedelta(seconds=10))
    fake.keys = [NEXT_RSA]
    assert await issuer.verify(fake.token(key=NEXT_RSA))
    with pytest.raises(TokenRefused, match="not published"):
        await issuer.verify(fake.token(key=RSA))
    assert fake.asked == BOTH * 2


async def test_keys_are_renewed_behind_the_backs_of_those_who_use_them(
    fake: FakeIssuer, issuer: TokenIssuer, clock: FixedClock
):
    await issuer.verify(fake.token())
    fake.keys = [NEXT_RSA]
    clock.move_to(NOON + HOUR - timedelta(seconds=1))
    assert await issuer.verify(fake.token())
    assert fake.asked == BOTH
    clock.move_to(NOON + HOUR)
    fake.released.clear()
    assert await issuer.verify(fake.token(key=RSA))
    fake.released.set()
    await settled(fake, asked=BOTH * 2)
    with pytest.raises(TokenRefused, match="not published"):
        await issuer.verify(fake.token(key=RSA))


async def test_strange_keys_do_not_make_us_hammer_the_issuer(
    fake: FakeIssuer, issuer: TokenIssuer, clock: FixedClock
):
    strange = [fake.token(header={"kid": f"strange {n}"}) for n in range(50)]
    for seconds, expected in ((0, 1), (9, 1), (10, 2), (19, 2), (20, 3)):
        clock.move_to(NOON + timedelta(seconds=seconds))
        answers = await asyncio.gather(*map(issuer.verify, strange), return_exceptions=True)
        assert {type(answer) for answer in answers} == {TokenRefused}
        assert fake.asked == BOTH * expected, seconds
    assert await issuer.verify(fake.token())


async def test_an_issuer_that_is_away_is_not_hammered_either(
    fake: FakeIssuer, issuer: TokenIssuer, clock: FixedClock
):
    fake.answers[DISCOVERY] = (503, "away")
    for seconds, expected in ((0, 1), (9, 1), (10, 2)):
        clock.move_to(NOON + timedelta(seconds=seconds))
        for _ in range(3):
            with pytest.raises(IssuerUnavailable):
                await issuer.verify(fake.token())
        assert fake.asked == [DISCOVERY] * expected
    fake.answers.clear()
    clock.move_to(NOON + timedelta(seconds=20))
    assert await issuer.verify(fake.token())


async def test_known_keys_serve_while_the_issuer_is_away(
    fake: FakeIssuer, issuer: TokenIssuer, clock: FixedClock
):
    await issuer.verify(fake.token())
    fake.answers[KEYS] = (500, "away")
    for hours in range(1, 5):
        clock.move_to(NOON + hours * HOUR)
        assert await issuer.verify(fake.token())
        await settled(fake, asked=BOTH * (hours + 1))
    with pytest.raises(IssuerUnavailable):
        await issuer.verify(fake.token(key=NEXT_RSA))


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        (DISCOVERY, (200, {"issuer": "https://login.example.com", "jwks_uri": "<url>/keys"})),
        (DISCOVERY, (200, {"issuer": "<url>/other", "jwks_uri": "<url>/keys"})),
        (DISCOVERY, (200, {"jwks_uri": "<url>/keys"})),
        (DISCOVERY, (200, {"issuer": "<url>"})),
        (DISCOVERY, (200, {"issuer": "<url>", "jwks_uri": "file:///etc/hostname"})),
        (DISCOVERY, (200, "[]")),
        (DISCOVERY, (200, "<html>")),
        (KEYS, (200, {"keys": {}})),
        (KEYS, (200, {"keys": [], "filler": "x" * 600_000})),
        (KEYS, (200, "[" * 100_000)),
        (KEYS, (302, "")),
        (KEYS, (204, "")),
    ],
)
async def test_what_an_issuer_would_not_say_is_not_believed(
    fake: FakeIssuer, issuer: TokenIssuer, path: str, answer: tuple[int, Any]
):
    status, body = answer
    if isinstance(body, dict):
        body = {
            name: text.replace("<url>", fake.url) if isinstance(text, str) else text
            for name, text in body.items()
        }
    fake.answers[path] = (status, body)
    with pytest.raises(IssuerUnavailable):
        await issuer.verify(fake.token())
    assert fake.asked.count(KEYS) <= 1


async def test_a_slash_at_the_end_of_the_issuers_name_is_no_other_name(
    fake: FakeIssuer, issuer: TokenIssuer
):
    fake.answers[DISCOVERY] = (
        200,
        {"issuer": f"{fake.url}/", "jwks_uri": f"{fake.url}{KEYS}"},
    )
    assert await issuer.verify(fake.token(iss=f"{fake.url}/"))
    with pytest.raises(TokenRefused, match="another issuer"):
        await issuer.verify(fake.token())


async def test_keys_that_cannot_verify_are_passed_over(fake: FakeIssuer, issuer: TokenIssuer):
    modulus = RSA.as_dict(private=False)["n"]
    fake.keys = [
        None,
        "key",
        {},
        {"kty": ["RSA"]},
        {"kty": "RSA", "kid": "first", "n": modulus[:300], "e": "AQAB"},
        {"kty": "RSA", "kid": "first", "n": "!" * 400, "e": "AQAB"},
        {"kty": "RSA", "kid": "first", "n": modulus},
        {"kty": "EC", "kid": "first", "crv": "P-256", "x": "AQ", "y": "AQ"},
        {"kty": "EC", "kid": "first", "crv": "secp256k1", "x": "AQ", "y": "AQ"},
        {"kty": "OKP", "kid": "first", "crv": "X25519", "x": "AQ"},
        {"kty": "RSA", "kid": 1, "n": modulus, "e": "AQAB", "alg": 256},
        {"kty": "RSA", "kid": "first", "n": modulus, "e": "AQAB", "key_ops": ["encrypt"]},
        {**RSA.as_dict(private=True), "x5c": "odd", "key_ops": ["verify", "else"]},
    ]
    assert await issuer.verify(fake.token())


async def test_a_token_that_names_no_key_is_refused_where_there_is_a_choice(
    fake: FakeIssuer, issuer: TokenIssuer
):
    fake.keys = [RSA, NEXT_RSA]
    with pytest.raises(TokenRefused):
        await issuer.verify(fake.token(header={"kid": None}))


async def test_an_issuer_that_keeps_silent_is_not_waited_for(fake: FakeIssuer, clock: FixedClock):
    fake.released.clear()
    reach = Reach(issuer=fake.url, address=fake.url, plain_http=True)
    silent = Publication(reach, documents=Documents(timeout_seconds=0.2), clock=clock)
    async with asyncio.timeout(5):
        with pytest.raises(IssuerUnavailable):
            await silent.with_key(algorithm="RS256", kid="first")


async def test_in_production_keys_come_over_https_or_from_this_machine(
    fake: FakeIssuer, tmp_path: Path
):
    production = {
        "BILLWRIGHT_ENVIRONMENT": "production",
        "ENCRYPTION_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    }
    assert await issuer_of(fake, tmp_path, **production).verify(fake.token())
    elsewhere = {"issuer": fake.url, "jwks_uri": f"http://login.example.com{KEYS}"}
    fake.answers[DISCOVERY] = (200, elsewhere)
    with pytest.raises(IssuerUnavailable):
        await issuer_of(fake, tmp_path, **production).verify(fake.token())
