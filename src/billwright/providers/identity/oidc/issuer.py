"""Whom does an access token of an OpenID Connect issuer speak for?

Its signature is verified with the keys that the issuer publishes, so that no request waits for the
issuer; with `introspection`, the issuer is asked as well whether it still stands by the token.
"""

from __future__ import annotations

import binascii

import msgspec
from joserfc.errors import JoseError
from joserfc.jws import extract_compact, validate_compact
from joserfc.util import urlsafe_b64decode

from billwright.features.identity.port import IssuerUnavailable, TokenRefused, Vouched
from billwright.providers.identity.oidc.claims import Claims, Header, vouched_by
from billwright.providers.identity.oidc.introspection import Introspection
from billwright.providers.identity.oidc.keys import PublicKey, SignatureAlgorithms
from billwright.providers.identity.oidc.published import Publication
from billwright.runtime.clock import Clock

_LONGEST_HEADER = SignatureAlgorithms.max_header_length

_headers = msgspec.json.Decoder(Header)
_claims = msgspec.json.Decoder(Claims)


class OidcIssuer:
    """A `TokenIssuer`, for tokens that are meant for the client `client_id`."""

    def __init__(
        self,
        publication: Publication,
        *,
        clock: Clock,
        client_id: str,
        introspection: Introspection | None = None,
    ) -> None:
        self._publication = publication
        self._clock = clock
        self._client_id = client_id
        self._introspection = introspection

    async def verify(self, token: str) -> Vouched:
        header = _header(token)
        published, key = await self._publication.with_key(algorithm=header.alg, kid=header.kid)
        vouched = vouched_by(
            _signed_claims(token, key=key, algorithm=header.alg),
            header=header,
            issuer=published.name,
            client_id=self._client_id,
            now=self._clock.now(),
        )
        if self._introspection is not None:
            if published.introspection_url is None:
                raise IssuerUnavailable("the issuer names no introspection endpoint")
            if not await self._introspection.is_active(token, url=published.introspection_url):
                raise TokenRefused("the issuer does not stand by it any more")
        return vouched


def _header(token: str) -> Header:
    """The header of what looks like a token; nothing is asked of the issuer for anything else."""
    encoded, _, rest = token.partition(".")
    if len(encoded) > _LONGEST_HEADER or rest.count(".") != 1 or not token.isascii():
        raise TokenRefused("it is no signed token")
    try:
        header = _headers.decode(urlsafe_b64decode(encoded.encode()))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise TokenRefused("it is no signed token") from error
    if header.alg not in SignatureAlgorithms.algorithms:
        raise TokenRefused("its algorithm proves nothing")
    if header.crit is not None:
        raise TokenRefused("it demands what is not understood")
    return header


def _signed_claims(token: str, *, key: PublicKey, algorithm: str) -> Claims:
    registry = SignatureAlgorithms(algorithms=[algorithm], strict_check_header=False)
    try:
        signed = extract_compact(token.encode(), registry=registry)
        if not validate_compact(signed, key, registry=registry):
            raise TokenRefused("its signature is wrong")
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise TokenRefused("it cannot be read") from error
    try:
        return _claims.decode(signed.payload)
    except (ValueError, RecursionError) as error:
        raise TokenRefused("its claims cannot be read") from error
