"""At which addresses is an issuer asked, by whichever name it goes elsewhere?

Within a network a server is often reached under another address than the one that browsers use and that
its tokens name. Then everything is asked of that address, also what the server says is at its public one.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from billwright.runtime.settings_values import is_protected

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """An issuer that its tokens name `issuer` and that is asked at `address`; anywhere else over plain
    http only where that is allowed, or on this machine itself.
    """

    issuer: str
    address: str
    plain_http: bool

    @property
    def discovery_url(self) -> str:
        return f"{self.address}/.well-known/openid-configuration"

    def name_in_tokens(self, own: object) -> str | None:
        """How its tokens spell the issuer that calls itself so at its address; none when that is another
        one. A server that does not know its public name calls itself by the address.
        """
        if not isinstance(own, str) or own.removesuffix("/") not in {self.issuer, self.address}:
            return None
        return self.issuer + ("/" if own.endswith("/") else "")

    def reachable(self, url: object) -> str | None:
        """Where what is published at `url` is asked for; none where it is nowhere to be asked for."""
        if not isinstance(url, str):
            return None
        try:
            asked = self._at_address(url)
            # Whoever runs the installation chose the way to this address.
            is_chosen = _origin(asked) == _origin(self.address)
            return asked if is_chosen or self.plain_http or is_protected(asked) else None
        except ValueError:
            return None

    def _at_address(self, url: str) -> str:
        if url.startswith(self.issuer + "/"):
            return self.address + url[len(self.issuer) :]
        if _origin(url) != _origin(self.issuer):
            return url
        address = urlsplit(self.address)
        return urlsplit(url)._replace(scheme=address.scheme, netloc=address.netloc).geturl()


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)
