"""How do tests play an OpenID Connect issuer that may be down, slow, wrong or deceived?"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from joserfc import jws
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from billwright.features.identity.port import TokenIssuer
from billwright.providers.identity.oidc import oidc_issuer
from billwright.runtime.clock import Clock
from billwright.runtime.settings import load_settings

CLIENT = "console"
SECRET = "hidden:+ /ü"
DISCOVERY = "/.well-known/openid-configuration"
KEYS = "/keys"
INTROSPECTION = "/introspection"

Key = RSAKey | ECKey | OKPKey | OctKey


def rsa(kid: str, **parameters: Any) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig", **parameters})


RSA = rsa("first", alg="RS256")
NEXT_RSA = rsa("second", alg="RS256")


class FakeIssuer:
    """Publishes `keys`; `answers` replaces what a path answers by a status and a body, and what `held`
    names is kept until `released`.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.keys: list[Any] = [RSA]
        self.answers: dict[str, tuple[int, Any]] = {}
        self.revoked: set[str] = set()
        self.asked: list[str] = []
        self.authorizations: list[str] = []
        self.released = asyncio.Event()
        self.released.set()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Claims of an access token; one that is changed to None is left out."""
        now = self.clock.now()
        claims = {
            "iss": self.url,
            "sub": "f3b1a2",
            "aud": "account",
            "azp": CLIENT,
            "typ": "Bearer",
            "iat": int(now.timestamp()),
            "exp": int((now + timedelta(minutes=5)).timestamp()),
            "email": "Ada@Northlight.example",
            "email_verified": True,
            "preferred_username": "ada",
            **changed,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, *, key: Key = RSA, header: dict[str, Any] | None = None, **changed: Any) -> str:
        return signed(json.dumps(self.claims(**changed)), key=key, header=header)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            lines = head.split("\r\n")
            headers = dict(line.split(": ", 1) for line in lines[1:] if line)
            headers = {name.lower(): value for name, value in headers.items()}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            path = lines[0].split(" ")[1]
            self.asked.append(path)
            if path == INTROSPECTION:
                self.authorizations.append(headers["authorization"])
            await self.released.wait()
            status, answer = self.answers.get(path) or (200, self._answer(path, body.decode()))
            content = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
            writer.write(
                f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nlocation: {KEYS}\r\n"
                f"content-length: {len(content)}\r\nconnection: close\r\n\r\n".encode()
                + content
            )
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # who asked has gone
        finally:
            writer.close()

    def _answer(self, path: str, body: str) -> dict[str, Any]:
        if path == DISCOVERY:
            return {
                "issuer": self.url,
                "jwks_uri": f"{self.url}{KEYS}",
                "introspection_endpoint": f"{self.url}{INTROSPECTION}",
            }
        if path == INTROSPECTION:
            return {"active": parse_qs(body)["token"][0] not in self.revoked}
        published = [
            key.as_dict(private=False) if isinstance(key, Key) else key for key in self.keys
        ]
        return {"keys": published}


def signed(payload: str, *, key: Key, header: dict[str, Any] | None = None) -> str:
    """The payload with a signature, whatever sense it makes; a header that is None is left out."""
    merged = {"alg": "RS256", "kid": key.kid, "typ": "JWT", **(header or {})}
    return jws.serialize_compact(
        {name: value for name, value in merged.items() if value is not None},
        payload,
        key,
        registry=jws.JWSRegistry(
            algorithms=list(jws.JWSRegistry.algorithms), strict_check_header=False
        ),
    )


@asynccontextmanager
async def fake_issuer(clock: Clock) -> AsyncIterator[FakeIssuer]:
    fake = FakeIssuer(clock)
    server = await asyncio.start_server(fake.serve, "127.0.0.1", 0)
    fake.port = server.sockets[0].getsockname()[1]
    try:
        yield fake
    finally:
        fake.released.set()
        server.close()


def issuer_of(fake: FakeIssuer, home: Path, **variables: str) -> TokenIssuer:
    """The product's own view of it, as its settings make it."""
    settings = load_settings(
        {
            "BILLWRIGHT_HOME": str(home),
            "OIDC_ISSUER": fake.url,
            "KEYCLOAK_CLIENT_ID": CLIENT,
            **variables,
        }
    )
    return oidc_issuer(settings, clock=fake.clock)
