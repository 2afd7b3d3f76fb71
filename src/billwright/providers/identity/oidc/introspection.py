"""Does the issuer still stand by a token that it has signed (RFC 7662)?"""

from __future__ import annotations

import asyncio
import base64
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import quote_plus

import structlog

from billwright.features.identity.port import IssuerUnavailable
from billwright.providers.identity.oidc.documents import Documents, DocumentUnavailable
from billwright.runtime.clock import Clock

_KEPT = timedelta(seconds=10)
_MOST_ANSWERS = 10_000

_log = structlog.get_logger(__name__)


class Introspection:
    """Asks the issuer as one of its clients; an answer serves for ten seconds, for all who ask."""

    def __init__(
        self, documents: Documents, *, clock: Clock, client_id: str, client_secret: str
    ) -> None:
        self._documents = documents
        self._clock = clock
        named = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
        self._authorization = f"Basic {base64.b64encode(named.encode()).decode()}"
        # In the order in which they were asked for.
        self._answers: dict[bytes, tuple[datetime, asyncio.Task[bool]]] = {}

    async def is_active(self, token: str, *, url: str) -> bool:
        """Whether it is. `IssuerUnavailable` without an answer; then the next caller asks anew."""
        digest, now = sha256(token.encode()).digest(), self._clock.now()
        self._forget(now)
        if digest not in self._answers:
            self._answers[digest] = (now, asyncio.create_task(self._ask(token, url=url)))
        answer = self._answers[digest]
        try:
            # One caller that goes away does not take the answer from the others.
            return await asyncio.shield(answer[1])
        except DocumentUnavailable as error:
            if self._answers.get(digest) == answer:
                del self._answers[digest]
            _log.warning("The issuer has not said whether it stands by a token", reason=str(error))
            raise IssuerUnavailable("the issuer does not say whether it stands by it") from error

    async def _ask(self, token: str, *, url: str) -> bool:
        answer = await self._documents.document(
            url,
            form={"token": token, "token_type_hint": "access_token"},
            authorization=self._authorization,
        )
        return answer.get("active") is True

    def _forget(self, now: datetime) -> None:
        while self._answers:
            digest, (asked_at, _) = next(iter(self._answers.items()))
            if abs(now - asked_at) < _KEPT and len(self._answers) < _MOST_ANSWERS:
                return
            del self._answers[digest]
