"""Where can a person read and try the API?

On one page that needs nothing from the network: Swagger UI comes from an installed package, and the
page's policy lets it load from this server alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

_ASSETS_PACKAGE = "fastapi_swagger.resources"
_ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}
# Swagger UI sets styles and draws images inline; scripts come from files only.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src 'self'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_CACHED = {"Cache-Control": "public, max-age=86400", "X-Content-Type-Options": "nosniff"}
_FRESH = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Billwright API</title>
<link rel="icon" type="image/png" href="{path}/favicon-32x32.png">
<link rel="stylesheet" href="{path}/swagger-ui.css">
</head>
<body>
<nav style="font-family: sans-serif; padding: 1rem">{links}</nav>
<div id="documentation"></div>
<script src="{path}/swagger-ui-bundle.js"></script>
<script src="{path}/start.js"></script>
</body>
</html>
"""
_SCRIPT = """"use strict";
const documents = {documents};
const chosen = new URLSearchParams(window.location.search).get("document");
SwaggerUIBundle({{
  url: documents[chosen] ?? Object.values(documents)[0],
  dom_id: "#documentation",
  deepLinking: true,
  displayRequestDuration: true,
  filter: true,
  validatorUrl: null,
}});
"""


def documentation_routes(path: str, documents: Mapping[str, str]) -> Sequence[BaseRoute]:
    """The page at `path` and its files; `documents` are the addresses of OpenAPI documents by title.

    The first document is shown unless `?document=<title>` asks for another.
    """
    links = " · ".join(
        f'<a href="{path}?{urlencode({"document": title})}">{escape(title)}</a>'
        for title in documents
    )
    page = _PAGE.format(path=path, links=links)
    script = _SCRIPT.format(documents=msgspec.json.encode(dict(documents)).decode())

    async def show_page(_request: Request) -> Response:
        return HTMLResponse(page, headers=_HEADERS)

    async def send_script(_request: Request) -> Response:
        return Response(script, headers=_FRESH, media_type="text/javascript")

    async def send_asset(request: Request) -> Response:
        name = request.url.path.rpartition("/")[2]
        return Response(_asset(name), headers=_CACHED, media_type=_ASSETS[name])

    return [
        Route(path, show_page),
        Route(f"{path}/start.js", send_script),
        *(Route(f"{path}/{name}", send_asset) for name in _ASSETS),
    ]


@cache
def _asset(name: str) -> bytes:
    return files(_ASSETS_PACKAGE).joinpath(name).read_bytes()
