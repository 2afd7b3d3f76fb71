"""Which address leads a user to the page of the console that a message speaks of?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class ConsoleLinks:
    """Makes the addresses. `own_urls` are those of tenants, by their codes, that have a console of their
    own; where there is none, a message has no link.
    """

    shared_url: str | None = None
    own_urls: Mapping[str, str] = field(default_factory=dict)

    def link_to(self, page: str, *, tenant_code: str, email: str) -> str | None:
        """A page with the address filled in; never with a code, which programs that look through mails
        and open what they link to would use up.
        """
        console = self.own_urls.get(tenant_code, self.shared_url)
        return console and f"{console.rstrip('/')}/{page}?email={quote(email, safe='@')}"
