"""What has an issuer published of itself, and how often is it asked?

Its discovery document and its keys are kept in memory. They are asked for when a token names a key that
is not among them, and in the background when they are an hour old; never more often than every ten
seconds, whatever arrives, and never twice at a time. What was had last goes on to serve while the issuer
is away.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from billwright.features.identity.port import IssuerUnavailable, TokenRefused
from billwright.providers.identity.oidc.documents import Documents, DocumentUnavailable
from billwright.providers.identity.oidc.keys import KeySet, PublicKey
from billwright.runtime.clock import Clock
from billwright.runtime.settings_values import is_protected

_PAUSE = timedelta(seconds=10)
_FRESH = timedelta(hours=1)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Published:
    """What an issuer said at one instant; `name` is how its tokens spell it."""

    name: str
    keys: KeySet
    introspection_url: str | None
    at: datetime


class Publication:
    """The newest `Published` of the issuer at `address`; over plain http only where that is allowed,
    or on this machine itself.
    """

    def __init__(
        self, address: str, *, documents: Documents, clock: Clock, plain_http: bool
    ) -> None:
        self._address = address.rstrip("/")
        self._documents = documents
        self._clock = clock
        self._plain_http = plain_http
        self._latest: Published | None = None
        self._asked_at: datetime | None = None
        self._answered = False
        self._asking: asyncio.Task[None] | None = None

    async def with_key(self, *, algorithm: str, kid: str | None) -> tuple[Published, PublicKey]:
        """The key and what was published beside it. Raises `TokenRefused` when the issuer has no such
        key, `IssuerUnavailable` when it does not say.
        """
        latest = self._latest
        key = latest and latest.keys.key_for(algorithm=algorithm, kid=kid)
        if latest and key:
            if abs(self._clock.now() - latest.at) >= _FRESH:
                self._ask()
            return latest, key
        if asking := self._ask():
            # One caller that goes away does not take the answer from the others.
            await asyncio.shield(asking)
        latest = self._latest
        key = latest and latest.keys.key_for(algorithm=algorithm, kid=kid)
        if latest and key:
            return latest, key
        if self._answered:
            raise TokenRefused("it is signed with a key that the issuer has not published")
        raise IssuerUnavailable("the issuer does not say which keys are its own")

    def _ask(self) -> asyncio.Task[None] | None:
        """The question that is under way, a new one where it is time for one, else nothing."""
        if self._asking is not None and not self._asking.done():
            return self._asking
        now = self._clock.now()
        if self._asked_at is not None and abs(now - self._asked_at) < _PAUSE:
            return None
        self._asked_at = now
        self._asking = asyncio.create_task(self._renew(now))
        return self._asking

    async def _renew(self, now: datetime) -> None:
        try:
            self._latest = await self._published(now)
            self._answered = True
        except DocumentUnavailable as error:
            self._answered = False
            _log.warning("The issuer of tokens has not said what its keys are", reason=str(error))

    async def _published(self, now: datetime) -> Published:
        discovery = await self._documents.document(
            f"{self._address}/.well-known/openid-configuration"
        )
        name = discovery.get("issuer")
        if not isinstance(name, str) or name.removesuffix("/") != self._address:
            raise DocumentUnavailable(f"{self._address} calls itself {name!r}")
        keys_url = self._endpoint(discovery, "jwks_uri")
        if keys_url is None:
            raise DocumentUnavailable(f"{self._address} names no jwks_uri that may be asked")
        published = (await self._documents.document(keys_url)).get("keys")
        if not isinstance(published, list):
            raise DocumentUnavailable(f"{keys_url} is no set of keys")
        return Published(
            name=name,
            keys=KeySet(published),
            introspection_url=self._endpoint(discovery, "introspection_endpoint"),
            at=now,
        )

    def _endpoint(self, discovery: dict[str, Any], name: str) -> str | None:
        url = discovery.get(name)
        if not isinstance(url, str):
            return None
        return url if self._plain_http or is_protected(url) else None
