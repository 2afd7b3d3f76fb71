"""Is an issuer asked where it is reached, and believed under no name but its public one?"""

from __future__ import annotations

from pathlib import Path

import pytest

from billwright.features.identity.port import IssuerUnavailable, TokenIssuer, TokenRefused
from billwright.providers.identity.oidc.reach import Reach
from tests.providers.identity.fake_issuer import (
    DISCOVERY,
    INTROSPECTION,
    KEYS,
    SECRET,
    FakeIssuer,
    issuer_of,
)

PUBLIC = "https://login.northlight.example/realms/billing"
CLUSTER = Reach(issuer=PUBLIC, address="http://login.internal:8080/realms/b", plain_http=False)


def published_at(base: str) -> dict[str, str]:
    """What a server tells of itself that takes this for its address."""
    return {
        "issuer": base,
        "jwks_uri": f"{base}{KEYS}",
        "introspection_endpoint": f"{base}{INTROSPECTION}",
    }


@pytest.fixture
def online(fake: FakeIssuer, tmp_path: Path) -> TokenIssuer:
    """Of which everything is asked at an address of its own."""
    return issuer_of(
        fake,
        tmp_path,
        OIDC_ISSUER=PUBLIC,
        OIDC_ISSUER_ADDRESS=fake.url,
        KEYCLOAK_TOKEN_VALIDATION="online",
        KEYCLOAK_CLIENT_SECRET=SECRET,
    )


async def test_what_is_published_at_the_public_address_is_asked_for_at_the_other(
    fake: FakeIssuer, online: TokenIssuer
):
    fake.answers[DISCOVERY] = (200, published_at(PUBLIC))
    assert await online.verify(fake.token(iss=PUBLIC))
    assert fake.asked == [DISCOVERY, KEYS, INTROSPECTION]


async def test_a_server_that_does_not_know_its_public_name_is_asked_all_the_same(
    fake: FakeIssuer, online: TokenIssuer
):
    fake.answers[DISCOVERY] = (200, published_at(fake.url))
    assert await online.verify(fake.token(iss=PUBLIC))


@pytest.mark.parametrize("name", [PUBLIC, None])
async def test_tokens_that_name_the_other_address_are_refused(
    fake: FakeIssuer, online: TokenIssuer, name: str | None
):
    fake.answers[DISCOVERY] = (200, published_at(name or fake.url))
    with pytest.raises(TokenRefused):
        await online.verify(fake.token(iss=fake.url))


async def test_another_issuer_at_that_address_is_not_believed(
    fake: FakeIssuer, online: TokenIssuer
):
    another = "https://login.northlight.example/realms/another"
    fake.answers[DISCOVERY] = (200, published_at(another) | {"jwks_uri": f"{fake.url}{KEYS}"})
    with pytest.raises(IssuerUnavailable):
        await online.verify(fake.token(iss=another))
    assert fake.asked == [DISCOVERY]


@pytest.mark.parametrize(
    ("published", "asked"),
    [
        (f"{PUBLIC}/certs", "http://login.internal:8080/realms/b/certs"),
        ("https://login.northlight.example:443/x?y=1", "http://login.internal:8080/x?y=1"),
        ("http://login.internal:8080/elsewhere", "http://login.internal:8080/elsewhere"),
        # A third place is asked itself, and only where nobody can change the answer on the way.
        ("https://keys.northlight.example/certs", "https://keys.northlight.example/certs"),
        (
            "https://login.northlight.example.evil.example/certs",
            "https://login.northlight.example.evil.example/certs",
        ),
        ("http://login.northlight.example/certs", None),
        ("http://login.internal:8081/certs", None),
        ("http://[", None),
        (None, None),
    ],
)
def test_in_production_only_the_chosen_address_is_asked_over_plain_http(
    published: str | None, asked: str | None
):
    assert CLUSTER.reachable(published) == asked


@pytest.mark.parametrize(
    ("own", "name"),
    [
        (PUBLIC, PUBLIC),
        (f"{PUBLIC}/", f"{PUBLIC}/"),
        ("http://login.internal:8080/realms/b/", f"{PUBLIC}/"),
        (f"{PUBLIC}//", None),
        (f"{PUBLIC}.evil.example", None),
        (7, None),
    ],
)
def test_its_tokens_name_the_public_issuer_with_the_slash_that_it_writes_itself(
    own: object, name: str | None
):
    assert CLUSTER.name_in_tokens(own) == name
