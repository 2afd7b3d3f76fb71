"""Where does this machine reach the server of its settings?"""

from __future__ import annotations

from billwright.runtime.settings import Settings


def server_address(settings: Settings) -> tuple[str, int]:
    """Host and port; a server that listens on every address is reached on loopback."""
    loopback = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what is listened on elsewhere
    return loopback.get(settings.host, settings.host), settings.port


def server_url(settings: Settings) -> str:
    host, port = server_address(settings)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
