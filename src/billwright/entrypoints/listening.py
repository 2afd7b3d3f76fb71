"""On which socket does the HTTP server listen?"""

from __future__ import annotations

import socket

_WAITING_CONNECTIONS = 2048


class AddressUnusable(Exception):  # noqa: N818 - an answer to the operator
    """The server cannot listen on its address; the text says what to do."""


def listening_socket(host: str, *, port: int) -> socket.socket:
    """A socket that already listens: what connects from now on waits until the server answers it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_WAITING_CONNECTIONS)
    except OSError as error:
        raise AddressUnusable(
            f"Billwright cannot listen on {host}, port {port}: {error.strerror or error}. "
            "Stop what uses the port, or set PORT (and HOST) to others."
        ) from error
