"""How does a page reach a payer's browser? Self-contained, without a script, and kept by nobody."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from billwright.features.notifications.messages import language_of
from billwright.surfaces.payer_page.texts import TEXTS

_FOLDER = Path(__file__).parent / "templates"
_STYLE = (_FOLDER / "page.css").read_text()
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode("ascii")
_PAGES = Environment(
    loader=FileSystemLoader(_FOLDER),
    undefined=StrictUndefined,
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(
    template: str, *, language: str, sends_to: str, status: int = 200, **context: object
) -> Response:
    """A page; `sends_to` are the places to which its forms may lead, also by redirection."""
    html = _PAGES.get_template(template).render(language=language, style=_STYLE, **context)
    return HTMLResponse(html, status, headers=_headers(sends_to))


def message_page(request: Request, kind: str, *, status: int) -> Response:
    """What is said where it is not known to whom: in the language that the browser asks for."""
    asked_for = request.headers.get("accept-language", "").split(",")[0].split(";")[0]
    language = language_of(asked_for.strip())
    heading, explanation = getattr(TEXTS[language], kind)
    return page(
        "message.html",
        language=language,
        sends_to="'none'",
        status=status,
        heading=heading,
        explanation=explanation,
    )


def _headers(sends_to: str) -> dict[str, str]:
    return {
        "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
        f"form-action {sends_to}; base-uri 'none'; frame-ancestors 'none'",
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex, nofollow",
    }
