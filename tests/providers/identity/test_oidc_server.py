"""Are tokens of an issuer that somebody else has written understood, in every algorithm it signs with?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from billwright.features.identity.port import IssuerUnavailable, TokenIssuer, TokenRefused
from billwright.providers.identity.oidc import oidc_issuer
from billwright.runtime.clock import FixedClock
from billwright.runtime.settings import load_settings
from tests.oidc_server.server import CLIENT, OidcServer, oidc_server


@pytest.fixture(scope="module")
def shared_server() -> Iterator[OidcServer]:
    with oidc_server() as server:
        yield server


@pytest.fixture
def clock() -> FixedClock:
    """The machine's own time when the test begins, as the server reads it."""
    return FixedClock(datetime.now(UTC))


def product(server: OidcServer, home: Path, *, clock: FixedClock, **variables: str) -> TokenIssuer:
    settings = load_settings(
        {
            "BILLWRIGHT_HOME": str(home),
            "OIDC_ISSUER": server.url,
            "KEYCLOAK_CLIENT_ID": CLIENT,
            **variables,
        }
    )
    return oidc_issuer(settings, clock=clock)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
async def test_its_tokens_are_understood(
    shared_server: OidcServer, tmp_path: Path, clock: FixedClock, algorithm: str
):
    await shared_server.rotate(algorithm)
    issuer = product(shared_server, tmp_path, clock=clock)
    tokens = await shared_server.tokens(
        "f3b1a2", email="Ada@Northlight.example", email_verified="true"
    )
    vouched = await issuer.verify(tokens["access_token"])
    assert (vouched.subject, vouched.email) == ("f3b1a2", "ada@northlight.example")
    assert vouched.email_verified
    assert await issuer.verify(await shared_server.token(audience=CLIENT))
    for refused in (tokens["id_token"], await shared_server.token(audience="another")):
        with pytest.raises(TokenRefused):
            await issuer.verify(refused)


async def test_new_keys_are_found_without_a_restart(
    shared_server: OidcServer, tmp_path: Path, clock: FixedClock
):
    issuer = product(shared_server, tmp_path, clock=clock)
    await shared_server.rotate()
    old = await shared_server.token(lifetime="7200")
    assert await issuer.verify(old)
    await shared_server.rotate("ES256")
    assert await issuer.verify(old)
    clock.move_to(clock.now() + timedelta(seconds=10))
    assert await issuer.verify(await shared_server.token())
    with pytest.raises(TokenRefused, match="not published"):
        await issuer.verify(old)


async def test_when_it_has_gone_its_last_keys_serve(tmp_path: Path, clock: FixedClock):
    with oidc_server() as server:
        known, unknown = (product(server, tmp_path, clock=clock) for _ in range(2))
        token = await server.token()
        assert await known.verify(token)
        server.stop()
        assert await known.verify(token)
        with pytest.raises(IssuerUnavailable):
            await unknown.verify(token)


async def test_it_is_asked_at_another_address_than_its_tokens_name(
    tmp_path: Path, clock: FixedClock
):
    public = "https://login.northlight.example"
    with oidc_server(public) as server:
        elsewhere = {"OIDC_ISSUER": public, "OIDC_ISSUER_ADDRESS": server.url}
        issuer = product(server, tmp_path, clock=clock, **elsewhere)
        token = await server.token("f3b1a2")
        assert (await issuer.verify(token)).subject == "f3b1a2"
        # Whoever takes the address for its name is told another one, and believes nothing.
        with pytest.raises(IssuerUnavailable):
            await product(server, tmp_path, clock=clock).verify(token)
