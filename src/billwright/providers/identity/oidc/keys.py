"""Which published key can have signed a token?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwa import EdDSAAlgorithm
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

# Below 2048 bits a modulus can be factored by those who want to.
_LEAST_MODULUS_CHARACTERS = 2048 // 6

_RSA = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_CURVES = {
    ("EC", "P-256"): frozenset({"ES256"}),
    ("EC", "P-384"): frozenset({"ES384"}),
    ("OKP", "Ed25519"): frozenset({"EdDSA", "Ed25519"}),
}
_PUBLIC_MEMBERS = ("kty", "n", "e", "crv", "x", "y")
_KINDS: dict[str, type[RSAKey | ECKey | OKPKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}

PublicKey = RSAKey | ECKey | OKPKey


class _EdDSA(EdDSAAlgorithm):
    """The name that issuers still use, without the library's advice to use another one."""

    security_warning = ""


class SignatureAlgorithms(JWSRegistry):
    """What a token may be signed with: nothing that a public key could forge, and never nothing."""

    max_header_length = 4096
    algorithms = {  # noqa: RUF012 - the library's protocol
        **{
            name: JWSRegistry.algorithms[name]
            for name in sorted(_RSA.union(*_CURVES.values()))
            if name != "EdDSA"
        },
        "EdDSA": _EdDSA(),
    }


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A key of an issuer, and what it may verify."""

    kid: str | None
    algorithms: frozenset[str]
    key: PublicKey


class KeySet:
    """What an issuer has published; what cannot verify signatures is left out."""

    def __init__(self, published: Sequence[Any]) -> None:
        keys = [_verifying_key(each) for each in published]
        self.keys = tuple(key for key in keys if key is not None)

    def key_for(self, *, algorithm: str, kid: str | None) -> PublicKey | None:
        """The key of that id; a token that names none is only looked at where there is no choice."""
        fitting = [
            each
            for each in self.keys
            if algorithm in each.algorithms and (kid is None or each.kid == kid)
        ]
        if not fitting or (kid is None and len(fitting) > 1):
            return None
        return fitting[0].key


def _verifying_key(published: Any) -> VerifyingKey | None:
    if not isinstance(published, dict) or published.get("use", "sig") != "sig":
        return None
    operations = published.get("key_ops")
    if isinstance(operations, list) and "verify" not in operations:
        return None
    algorithms = _algorithms(published)
    if not algorithms:
        return None
    # Of a private key that was published by mistake, nothing private is kept.
    public = {name: published[name] for name in _PUBLIC_MEMBERS if name in published}
    kid = published.get("kid")
    try:
        key = _KINDS[public["kty"]].import_key(public)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return VerifyingKey(kid if isinstance(kid, str) else None, algorithms, key)


def _algorithms(published: dict[str, Any]) -> frozenset[str]:
    """What a key of this kind can verify, or the one algorithm that it is for."""
    kind, modulus = published.get("kty"), published.get("n")
    possible: frozenset[str] = frozenset()
    if kind == "RSA":
        if isinstance(modulus, str) and len(modulus) >= _LEAST_MODULUS_CHARACTERS:
            possible = _RSA
    elif isinstance(kind, str) and isinstance(curve := published.get("crv"), str):
        possible = _CURVES.get((kind, curve), possible)
    only = published.get("alg")
    return possible if only is None else possible & {only if isinstance(only, str) else ""}
