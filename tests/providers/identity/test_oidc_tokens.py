"""Which tokens speak for somebody, and which prove nothing?"""

from __future__ import annotations

import base64
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest
from joserfc.jwk import ECKey, OKPKey

from billwright.features.identity.port import TokenIssuer, TokenRefused, Vouched
from billwright.runtime.clock import FixedClock
from tests.conftest import NOON
from tests.providers.identity.fake_issuer import CLIENT, RSA, FakeIssuer, rsa, signed

UNBOUND = rsa("any")
AT_NOON = int(NOON.timestamp())


async def test_an_access_token_says_whom_it_speaks_for(fake: FakeIssuer, issuer: TokenIssuer):
    assert await issuer.verify(fake.token()) == Vouched(
        subject="f3b1a2",
        email="ada@northlight.example",
        email_verified=True,
        preferred_username="ada",
        expires_at=NOON + timedelta(minutes=5),
    )


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"email": None}, (None, False)),
        ({"email": "nobody"}, (None, False)),
        ({"email": "a\u0000@northlight.example"}, (None, False)),
        ({"email_verified": None}, ("ada@northlight.example", False)),
        ({"email_verified": "true"}, ("ada@northlight.example", True)),
        ({"email_verified": "yes"}, ("ada@northlight.example", False)),
    ],
)
async def test_an_address_is_somebodys_where_the_issuer_says_so(
    fake: FakeIssuer, issuer: TokenIssuer, changed: dict[str, Any], expected: tuple[Any, bool]
):
    vouched = await issuer.verify(fake.token(**changed))
    assert (vouched.email, vouched.email_verified) == expected


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": [CLIENT, "account"], "azp": None},
        {"aud": CLIENT, "azp": "another"},
        {"nbf": AT_NOON + 60, "iat": AT_NOON + 60},
        {"exp": AT_NOON - 59},
        {"exp": AT_NOON + 0.5},
        {"typ": None},
        {"nonce": "n"},
        {"sub": "x" * 255},
        {"header": {"typ": "at+jwt"}, "typ": None, "nonce": "n"},
        {"header": {"typ": None, "x5t#S256": "x", "vendor": {"known": False}}},
        {"header": {"kid": None}},
    ],
)
async def test_what_issuers_do_differently_is_understood(
    fake: FakeIssuer, issuer: TokenIssuer, changed: dict[str, Any]
):
    assert (await issuer.verify(fake.token(**changed))).subject


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://login.example.com"},
        {"iss": None},
        {"iss": 1},
        {"aud": None, "azp": None},
        {"aud": [], "azp": "another"},
        {"aud": CLIENT.upper(), "azp": None},
        {"aud": {CLIENT: CLIENT}},
        {"exp": None},
        {"exp": AT_NOON - 60},
        {"exp": str(AT_NOON + 600)},
        {"exp": 1e300},
        {"nbf": AT_NOON + 61},
        {"iat": AT_NOON + 61},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 256},
        {"sub": "\u0000"},
        {"sub": ["f3b1a2"]},
        {"typ": "ID"},
        {"typ": "Refresh"},
        {"typ": "Offline"},
        {"typ": None, "aud": CLIENT, "nonce": "n"},
        {"typ": None, "aud": CLIENT, "at_hash": "h"},
        {"header": {"typ": "logout+jwt"}},
        {"header": {"typ": "dpop+jwt"}},
        {"header": {"crit": ["kid"]}},
        {"cnf": {"jkt": "another key"}},
    ],
)
async def test_a_token_that_is_not_for_this_here_and_now_proves_nothing(
    fake: FakeIssuer, issuer: TokenIssuer, changed: dict[str, Any]
):
    with pytest.raises(TokenRefused):
        await issuer.verify(fake.token(**changed))


async def test_time_passes_over_a_token(fake: FakeIssuer, issuer: TokenIssuer, clock: FixedClock):
    token = fake.token(nbf=AT_NOON)
    for seconds, counts in ((-61, False), (-60, True), (0, True), (359, True), (360, False)):
        clock.move_to(NOON + timedelta(seconds=seconds))
        try:
            await issuer.verify(token)
        except TokenRefused:
            assert not counts, seconds
        else:
            assert counts, seconds


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        *((f"{family}{size}", UNBOUND) for family in ("RS", "PS") for size in (256, 384, 512)),
        ("ES256", ECKey.generate_key("P-256", {"kid": "p256", "alg": "ES256"})),
        ("ES384", ECKey.generate_key("P-384", {"kid": "p384"})),
        ("EdDSA", OKPKey.generate_key("Ed25519", {"kid": "edwards", "alg": "EdDSA"})),
        ("Ed25519", OKPKey.generate_key("Ed25519", {"kid": "edwards"})),
    ],
)
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
async def test_each_algorithm_with_its_kind_of_key(
    fake: FakeIssuer, issuer: TokenIssuer, algorithm: str, key: Any
):
    fake.keys = [RSA, key]
    token = fake.token(key=key, header={"alg": algorithm})
    assert (await issuer.verify(token)).subject == "f3b1a2"
    with pytest.raises(TokenRefused, match="signature is wrong"):
        await issuer.verify(with_payload(token, fake.claims(sub="somebody else")))


async def test_an_algorithm_that_is_not_the_keys_own_is_refused(
    fake: FakeIssuer, issuer: TokenIssuer
):
    curve = ECKey.generate_key("P-521", {"kid": "p521"})
    fake.keys = [RSA, curve, rsa("bound", alg="PS256"), rsa("sealing", use="enc")]
    for key, algorithm in ((RSA, "RS512"), (RSA, "PS256"), (curve, "ES512")):
        token = forged(fake.claims(), key=key, algorithm=algorithm)
        with pytest.raises(TokenRefused):
            await issuer.verify(token)
    with pytest.raises(TokenRefused, match="not published"):
        await issuer.verify(fake.token(key=rsa("sealing", use="sig")))


async def test_nobody_signs_for_the_issuer(fake: FakeIssuer, issuer: TokenIssuer):
    with pytest.warns(UserWarning, match="none"):
        unsigned = fake.token(header={"alg": "none"})
    secret = b"a secret of 32 bytes and more, published"
    fake.keys.append({"kty": "oct", "kid": "shared", "k": encoded(secret)})
    by_secret = [
        keyed(fake.claims(), kid="first", secret=RSA.as_pem(private=False)),
        keyed(fake.claims(), kid="first", secret=RSA.as_der(private=False)),
        keyed(fake.claims(), kid="shared", secret=secret),
    ]
    for token in (
        unsigned,
        unsigned + encoded(b"x"),
        *by_secret,
        fake.token(key=rsa("first")),
        fake.token(key=rsa("third"), header={"jwk": rsa("third").as_dict(private=False)}),
        fake.token().rpartition(".")[0] + ".",
    ):
        with pytest.raises(TokenRefused):
            await issuer.verify(token)
    assert await issuer.verify(fake.token())


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "a.b.c.d.e",
        "[].[].[]",
        "W10.e30.e30",
        f"{'W1tb' * 1000}.e30.e30",
        "eyJhbGciOlsiUlMyNTYiXX0.e30.e30",
        "é.e30.e30",
        "x" * 100_000,
        "bw_default_" + "x" * 43,
    ],
)
async def test_what_is_no_token_is_refused_without_asking_anybody(
    fake: FakeIssuer, issuer: TokenIssuer, text: str
):
    with pytest.raises(TokenRefused):
        await issuer.verify(text)
    assert fake.asked == []


@pytest.mark.parametrize("payload", ["", "null", "[]", "{", "[" * 50_000, '{"iss":"\\ud800"}'])
async def test_signed_nonsense_is_refused(fake: FakeIssuer, issuer: TokenIssuer, payload: str):
    with pytest.raises(TokenRefused):
        await issuer.verify(signed(payload, key=RSA))


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def keyed(claims: dict[str, Any], *, kid: str, secret: bytes) -> str:
    """Signed with HS256, with whatever both sides know."""
    header = json.dumps({"alg": "HS256", "kid": kid, "typ": "JWT"})
    start = f"{encoded(header.encode())}.{encoded(json.dumps(claims).encode())}"
    return f"{start}.{encoded(hmac.digest(secret, start.encode(), 'sha256'))}"


def with_payload(token: str, claims: dict[str, Any]) -> str:
    header, _, signature = token.split(".")
    return f"{header}.{encoded(json.dumps(claims).encode())}.{signature}"


def forged(claims: dict[str, Any], *, key: Any, algorithm: str) -> str:
    """Signed by the key itself, though by an algorithm that it is not for."""
    unbound = type(key).import_key(
        {name: value for name, value in key.as_dict(private=True).items() if name != "alg"}
    )
    return signed(json.dumps(claims), key=unbound, header={"alg": algorithm, "kid": key.kid})
