"""What must the address of a request not contain?"""

from __future__ import annotations

from starlette.requests import Request

from billwright.surfaces.web.errors import text_unstorable


async def require_storable_address(request: Request) -> None:
    """A dependency of every route: refuses U+0000, which the database cannot store or look for.

    Refuses: `text_unstorable`.
    """
    if "\x00" in request.scope["path"] or b"%00" in request.scope["query_string"]:
        raise text_unstorable()
