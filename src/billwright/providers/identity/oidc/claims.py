"""Do the claims of a token that its issuer has signed speak for somebody here and now?"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from billwright.features.identity.port import TokenRefused, Vouched

# How far the issuer's clock and ours may be apart, either way.
LEEWAY_SECONDS = 60

_LONGEST_SUBJECT = 255
_LAST_SECOND = 253402300799  # of the year 9999

_ACCESS_TOKEN_HEADERS = {"at+jwt", "application/at+jwt"}
_OTHER_TOKENS = {"id", "refresh", "offline", "logout"}


class Header(msgspec.Struct):
    """What a token says of its signature."""

    alg: str
    kid: str | None = None
    typ: str | None = None
    crit: list[str] | None = None


class Claims(msgspec.Struct):
    """What of a token is looked at; anything of another type makes it unreadable."""

    iss: str
    sub: str
    exp: float
    nbf: float | None = None
    iat: float | None = None
    aud: str | list[str] | None = None
    azp: str | None = None
    typ: str | None = None
    cnf: dict[str, object] | None = None
    nonce: str | None = None
    at_hash: str | None = None
    c_hash: str | None = None
    email: str | None = None
    email_verified: bool | str | None = None
    preferred_username: str | None = None


def vouched_by(
    claims: Claims, *, header: Header, issuer: str, client_id: str, now: datetime
) -> Vouched:
    """Whom the claims vouch for; refuses (`TokenRefused`) with the first thing that is wrong."""
    if claims.iss != issuer:
        raise TokenRefused("it is of another issuer")
    audience = [claims.aud] if isinstance(claims.aud, str) else claims.aud or []
    if client_id not in audience and claims.azp != client_id:
        raise TokenRefused("it is for another audience")
    _check_time(claims, now=now.timestamp())
    _check_kind(claims, header)
    if not claims.sub or len(claims.sub) > _LONGEST_SUBJECT or not claims.sub.isprintable():
        raise TokenRefused("its subject is no name")
    email = _email(claims.email)
    verified = claims.email_verified in {True, "true"}
    return Vouched(
        subject=claims.sub,
        email=email,
        email_verified=verified and email is not None,
        preferred_username=_printable(claims.preferred_username),
        expires_at=datetime.fromtimestamp(claims.exp, UTC),
    )


def _check_time(claims: Claims, *, now: float) -> None:
    if claims.exp > _LAST_SECOND:
        raise TokenRefused("its end is in no calendar")
    if now >= claims.exp + LEEWAY_SECONDS:
        raise TokenRefused("it has expired")
    begins = max(claims.nbf or 0, claims.iat or 0)
    if now < begins - LEEWAY_SECONDS:
        raise TokenRefused("it is not valid yet")


def _check_kind(claims: Claims, header: Header) -> None:
    """Only access tokens that whoever has them may use: issuers sign other things with the same keys."""
    kind = (header.typ or "jwt").lower()
    if kind not in {"jwt", *_ACCESS_TOKEN_HEADERS} or (claims.typ or "").lower() in _OTHER_TOKENS:
        raise TokenRefused("it is no access token")
    says_so = kind in _ACCESS_TOKEN_HEADERS or (claims.typ or "").lower() == "bearer"
    if not says_so and (claims.nonce or claims.at_hash or claims.c_hash):
        raise TokenRefused("it is an ID token")
    if claims.cnf:
        raise TokenRefused("it belongs to whoever holds another key")


def _email(text: str | None) -> str | None:
    email = (_printable(text) or "").strip().lower()
    return email if "@" in email else None


def _printable(text: str | None) -> str | None:
    return text if text and text.isprintable() else None
