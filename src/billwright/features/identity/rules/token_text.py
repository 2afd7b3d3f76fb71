"""What does a personal access token look like?"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

TOKEN_PREFIX = "fp_pat_"  # noqa: S105 - the beginning of all of them

_SHOWN = 15


@dataclass(frozen=True, slots=True)
class TokenText:
    """A token's whole text. Only `digest`, its SHA-256, is stored: the secret has 256 bits, so that
    guessing is hopeless at any speed and a slow hash would add nothing.
    """

    text: str

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.text.encode(errors="surrogatepass")).digest()

    @property
    def prefix(self) -> str:
        """By which people recognize it; what it shows of the secret leaves 208 bits."""
        return self.text[:_SHOWN]


def token_text(*, secret: str) -> TokenText:
    """The token with this secret, which must be unguessable."""
    return TokenText(f"{TOKEN_PREFIX}{secret}")
