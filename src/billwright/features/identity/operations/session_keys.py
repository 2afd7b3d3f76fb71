"""With what are sessions signed?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from billwright.features.identity.rules.claims import SessionClaims, read_claims
from billwright.runtime.secrets import SecretBox

_ALGORITHM = "HS256"


class SessionKeys:
    """Signs sessions and reads those that it signed, as JSON Web Tokens (RFC 7519).

    No other algorithm is believed, whatever the header of a text says.
    """

    def __init__(self, secret: bytes) -> None:
        self._key = OctKey.import_key(secret)

    def sign(self, claims: Mapping[str, object]) -> str:
        """The text of a session."""
        return jwt.encode({"alg": _ALGORITHM}, dict(claims), self._key, algorithms=[_ALGORITHM])

    def read(self, text: str) -> SessionClaims | None:
        """What a text says that was signed with this key, ended or not; none of any other text."""
        try:
            claims: dict[str, Any] = jwt.decode(text, self._key, algorithms=[_ALGORITHM]).claims
        except (JoseError, ValueError, TypeError, RecursionError):
            return None
        return read_claims(claims)


def session_keys(box: SecretBox, *, secret: str | None) -> SessionKeys:
    """The keys of an installation: its own secret, else what follows from its encryption key.

    A retired encryption key still opens what it sealed, and signs nothing: it may have been retired
    because others have it. Whoever signed in before it was changed signs in again.
    """
    if secret is not None:
        return SessionKeys(secret.strip().encode())
    return SessionKeys(box.key_for("sessions"))
