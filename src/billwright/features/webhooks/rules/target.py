"""Where may webhooks be sent?"""

from __future__ import annotations

import re
from ipaddress import ip_address

from billwright.features.webhooks.errors import webhook_address_private, webhook_url_invalid
from billwright.features.webhooks.model import TargetPolicy
from billwright.features.webhooks.rules.address import is_public

LONGEST_URL = 2000

# Printable ASCII; nothing before the host, which would lead elsewhere than it seems to.
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:(?P<port>[0-9]{1,5}))?"
    r"([/?][!\"$-~]*)?"
)


def require_target(url: str, policy: TargetPolicy, *, pointer: str = "/url") -> None:
    """Refuses `webhook_url_invalid` and, for an address that is written out, `webhook_address_private`.

    Where a name leads is looked at whenever something is sent there.
    """
    match = _URL.fullmatch(url)
    if match is None or len(url) > LONGEST_URL:
        raise webhook_url_invalid(pointer=pointer)
    if match["port"] is not None and not 0 < int(match["port"]) < 65536:
        raise webhook_url_invalid(pointer=pointer)
    if policy.unrestricted:
        return
    port = int(match["port"] or 443)
    if match["scheme"] != "https" or not (port == 443 or port >= 1024):
        raise webhook_url_invalid(pointer=pointer)
    host = match["host"].strip("[]")
    if _is_address(host) and not is_public(host):
        raise webhook_address_private(pointer=pointer, address=host)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
