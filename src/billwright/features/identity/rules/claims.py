"""What does the text of a session say?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from billwright.features.identity.model import SignInMethod, User

SESSION_LASTS = timedelta(days=7)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionClaims:
    """What is believed of a text that carries our signature: who it is and until when, never what they
    may do. `scopes` and `token_id` belong to sessions of tokens. One without `jti` cannot be ended
    alone.
    """

    user_id: UUID
    method: SignInMethod
    token_version: int
    jti: UUID | None
    expires_at: datetime
    scopes: frozenset[str] | None = None
    token_id: UUID | None = None


def session_claims(
    user: User,
    *,
    method: SignInMethod,
    jti: UUID,
    now: datetime,
    scopes: Sequence[str] | None = None,
    token_id: UUID | None = None,
) -> dict[str, object]:
    """The claims of a session that begins now."""
    claims: dict[str, object] = {
        "sub": str(user.id),
        "email": user.email,
        "roles": [user.role.value],
        "amr": [method.value],
        "tv": user.token_version,
        "jti": str(jti),
        "iat": _seconds(now),
        "exp": _seconds(now + SESSION_LASTS),
    }
    if method is SignInMethod.TOKEN:
        claims |= {"scopes": list(scopes or ()), "patId": str(token_id)}
    return claims


def _seconds(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(seconds=1)


def read_claims(claims: Mapping[str, Any]) -> SessionClaims | None:
    """What the claims say; none when one that counts is missing or is of another type.

    Texts from before a claim was introduced live on: without `amr` a password was given, and without
    `tv` the version is the first one.
    """
    user_id, method = _uuid_in(claims.get("sub")), _method_in(claims.get("amr", ["pwd"]))
    expires_at, version = _instant_in(claims.get("exp")), claims.get("tv", 0)
    jti = _uuid_in(claims.get("jti"))
    if user_id is None or method is None or expires_at is None or type(version) is not int:
        return None
    if jti is None and "jti" in claims:
        return None
    scopes, token_id = _texts_in(claims.get("scopes")), _uuid_in(claims.get("patId"))
    if method is SignInMethod.TOKEN and (scopes is None or token_id is None):
        return None
    of_token = method is SignInMethod.TOKEN
    return SessionClaims(
        user_id=user_id,
        method=method,
        token_version=version,
        jti=jti,
        expires_at=expires_at,
        scopes=scopes if of_token else None,
        token_id=token_id if of_token else None,
    )


def _method_in(value: object) -> SignInMethod | None:
    texts = _texts_in(value) or ()
    if SignInMethod.TOKEN in texts:
        return SignInMethod.TOKEN
    return SignInMethod.PASSWORD if SignInMethod.PASSWORD in texts else None


def _texts_in(value: object) -> frozenset[str] | None:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        return None
    return frozenset(value)


def _uuid_in(value: object) -> UUID | None:
    try:
        found = UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is not None and str(found) == str(value).lower() else None


def _instant_in(value: object) -> datetime | None:
    if type(value) is not int:
        return None
    try:
        return _EPOCH + timedelta(seconds=value)
    except OverflowError:
        return None
