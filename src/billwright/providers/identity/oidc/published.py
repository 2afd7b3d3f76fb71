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

import structlog

from billwright.features.identity.port import IssuerUnavailable, TokenRefused
from billwright.providers.identity.oidc.documents import Documents, DocumentUnavailable
from billwright.providers.identity.oidc.keys import KeySet, PublicKey
from billwright.providers.identity.oidc.reach import Reach
from billwright.runtime.clock import Clock

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
    """The newest `Published` of the issuer within `reach`."""

    def __init__(self, reach: Reach, *, documents: Documents, clock: Clock) -> None:
        self._reach = reach
        self._documents = documents
        self._clock = clock
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
        reach = self._reach
        discovery = await self._documents.document(reach.discovery_url)
        name = reach.name_in_tokens(discovery.get("issuer"))
        if name is None:
            raise DocumentUnavailable(f"{reach.address} calls itself {discovery.get('issuer')!r}")
        keys_url = reach.reachable(discovery.get("jwks_uri"))
        if keys_url is None:
            raise DocumentUnavailable(f"{reach.address} names no jwks_uri that may be asked")
        published = (await self._documents.document(keys_url)).get("keys")
        if not isinstance(published, list):
            raise DocumentUnavailable(f"{keys_url} is no set of keys")
        return Published(
            name=name,
            keys=KeySet(published),
            introspection_url=reach.reachable(discovery.get("introspection_endpoint")),
            at=now,
        )
