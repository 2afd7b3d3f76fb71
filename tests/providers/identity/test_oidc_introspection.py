"""Does an installation that validates online find out that a token was taken back?"""

from __future__ import annotations

import asyncio
import base64
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote_plus

import pytest

from billwright.features.identity.port import IssuerUnavailable, TokenIssuer, TokenRefused
from billwright.runtime.clock import FixedClock
from tests.conftest import NOON
from tests.providers.identity.fake_issuer import (
    CLIENT,
    DISCOVERY,
    INTROSPECTION,
    KEYS,
    SECRET,
    FakeIssuer,
    issuer_of,
    rsa,
)


@pytest.fixture
def online(fake: FakeIssuer, tmp_path: Path) -> TokenIssuer:
    return issuer_of(
        fake, tmp_path, KEYCLOAK_TOKEN_VALIDATION="online", KEYCLOAK_CLIENT_SECRET=SECRET
    )


async def test_an_answer_serves_for_ten_seconds(
    fake: FakeIssuer, online: TokenIssuer, clock: FixedClock
):
    token = fake.token()
    await asyncio.gather(*(online.verify(token) for _ in range(10)))
    assert fake.asked == [DISCOVERY, KEYS, INTROSPECTION]
    fake.revoked.add(token)
    clock.move_to(NOON + timedelta(seconds=9))
    assert await online.verify(token)
    clock.move_to(NOON + timedelta(seconds=10))
    for _ in range(3):
        with pytest.raises(TokenRefused, match="stand by"):
            await online.verify(token)
    assert await online.verify(fake.token(sub="somebody else"))
    assert fake.asked.count(INTROSPECTION) == 3


async def test_the_issuer_is_asked_as_the_client(fake: FakeIssuer, online: TokenIssuer):
    await online.verify(fake.token())
    kind, _, named = fake.authorizations[0].partition(" ")
    client_id, _, secret = base64.b64decode(named).decode().partition(":")
    assert (kind, unquote_plus(client_id), unquote_plus(secret)) == ("Basic", CLIENT, SECRET)


async def test_what_its_own_keys_refuse_is_not_taken_to_the_issuer(
    fake: FakeIssuer, online: TokenIssuer
):
    for token in (fake.token(azp="another"), fake.token(key=rsa("first"))):
        with pytest.raises(TokenRefused):
            await online.verify(token)
    assert INTROSPECTION not in fake.asked


@pytest.mark.parametrize("answer", [(401, ""), (500, ""), (200, "[]"), (200, "")])
async def test_no_answer_is_no_yes_and_the_next_one_asks_anew(
    fake: FakeIssuer, online: TokenIssuer, answer: tuple[int, str]
):
    token = fake.token()
    fake.answers[INTROSPECTION] = answer
    with pytest.raises(IssuerUnavailable):
        await online.verify(token)
    fake.answers.clear()
    assert await online.verify(token)


@pytest.mark.parametrize("active", [None, "true", 1])
async def test_only_true_is_yes(fake: FakeIssuer, online: TokenIssuer, active: object):
    fake.answers[INTROSPECTION] = (200, {"active": active})
    with pytest.raises(TokenRefused):
        await online.verify(fake.token())


async def test_an_issuer_without_introspection_cannot_be_asked(
    fake: FakeIssuer, online: TokenIssuer
):
    fake.answers[DISCOVERY] = (200, {"issuer": fake.url, "jwks_uri": f"{fake.url}{KEYS}"})
    with pytest.raises(IssuerUnavailable):
        await online.verify(fake.token())
