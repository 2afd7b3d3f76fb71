"""What does identity ask of a server at which people sign in elsewhere?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class TokenRefused(Exception):  # noqa: N818 - it names the answer
    """The token proves nothing here; the text says why and is for the log, never for the caller."""


class IssuerUnavailable(Exception):  # noqa: N818 - it names the answer
    """Whether the token proves anything cannot be found out now; it may be sent again later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """Whom an issuer vouches for, until when. `subject` is its own lasting name for them; `email` is
    in lower case, and is theirs only where the issuer says so (`email_verified`).
    """

    subject: str
    email: str | None
    email_verified: bool
    preferred_username: str | None
    expires_at: datetime


class TokenIssuer(Protocol):
    async def verify(self, token: str) -> Vouched:
        """Whom the access token speaks for. Raises `TokenRefused` and `IssuerUnavailable`."""
        ...
