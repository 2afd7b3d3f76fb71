"""Which answers may nothing keep on their way, nor the browser afterwards?"""

from __future__ import annotations

from starlette.responses import Response

NEVER_KEPT = {"Cache-Control": "no-store"}


async def never_kept(response: Response) -> None:
    """A dependency of routes whose answers have a secret in them."""
    response.headers.update(NEVER_KEPT)
