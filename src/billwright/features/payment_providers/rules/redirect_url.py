"""Where may a payer be sent back to?"""

from __future__ import annotations

import re

from billwright.features.payment_providers.errors import redirect_url_invalid

LONGEST_URL = 2000

# No name before the host: `https://shop.example@elsewhere.example` leads elsewhere.
_REST = r"(:[0-9]{1,5})?([/?#][!-~]*)?"
_PUBLIC = re.compile(rf"https://[A-Za-z0-9.-]+{_REST}")
_OWN_MACHINE = re.compile(rf"http://(localhost|127\.0\.0\.1|\[::1\]){_REST}")


def require_redirect_url(url: str, *, pointer: str) -> None:
    """Refuses `redirect_url_invalid` what is not https; a developer's own machine needs none."""
    fits = _PUBLIC.fullmatch(url) or _OWN_MACHINE.fullmatch(url)
    if not fits or len(url) > LONGEST_URL:
        raise redirect_url_invalid(pointer=pointer)
