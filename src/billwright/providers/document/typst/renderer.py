"""How does a document become a PDF?

The result is PDF/A-3b, so that an electronic invoice can be attached to it later. The fonts are those
of this folder and the ones inside Typst, never the machine's, so that every machine sets the same page.
They cover Latin, Greek, Cyrillic, Hebrew and Arabic letters; an operator whose customers write in
others names a folder with fonts that have them.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, time
from pathlib import Path
from threading import Lock

import typst

from billwright.features.invoicing.document import InvoiceDocument
from billwright.providers.document.typst.cleaning import (
    REPLACEMENT,
    breakable,
    is_simple,
    mapped,
    printable,
)
from billwright.providers.document.typst.content import Content, content_of

_FOLDER = Path(__file__).parent


class TypstInvoiceRenderer:
    """An `InvoiceRenderer`. Making one reads the fonts (tens of milliseconds), so a process keeps one;
    threads take turns, because a Typst compiler cannot be entered twice and keeps the interpreter for
    itself while it works. More throughput takes more processes.

    A character that no font has is printed as U+FFFD: PDF/A forbids the empty box.
    """

    def __init__(self, font_folder: Path | None = None) -> None:
        folders = [_FOLDER / "fonts", *([font_folder] if font_folder else [])]
        fonts = typst.Fonts(include_system_fonts=False, font_paths=folders)
        self._template = typst.Compiler(_FOLDER / "invoice.typ", font_paths=fonts)
        self._probe = typst.Compiler(_FOLDER / "probe.typ", font_paths=fonts)
        self._shown_characters: dict[str, bool] = {}
        self._turn = Lock()

    def render(self, document: InvoiceDocument) -> bytes:
        content = _prepared(content_of(document))
        created = datetime.combine(document.issued_on, time.min, UTC)
        with self._turn:
            try:
                return self._compiled(content, created)
            except typst.TypstError:
                # Which text the fonts lack is asked only now, since hardly any document needs it.
                return self._compiled(mapped(content, self._showable), created)

    def _compiled(self, content: Content, created: datetime) -> bytes:
        return _pdf(self._template, {"document": json.dumps(content)}, created=created)

    def _showable(self, text: str) -> str:
        """As much of the text as the fonts have. Characters that are fine alone may fail together
        (a mark on a letter of another font); then only simple scripts are kept.
        """
        if self._shows(text):
            return text
        known = _replaced(text, {c for c in text if not self._shows_character(c)})
        if self._shows(known):
            return known
        return _replaced(known, {character for character in known if not is_simple(character)})

    def _shows_character(self, character: str) -> bool:
        if character not in self._shown_characters:
            self._shown_characters[character] = self._shows(character)
        return self._shown_characters[character]

    def _shows(self, text: str) -> bool:
        if text.isascii():
            return True
        try:
            _pdf(self._probe, {"text": text}, created=datetime.fromtimestamp(0, UTC))
        except typst.TypstError:
            return False
        return True


def _prepared(content: dict[str, Content]) -> dict[str, Content]:
    """Names in the file's metadata stay whole; what is printed may break."""
    return {
        key: mapped(mapped(value, printable), str if key == "metadata" else breakable)
        for key, value in content.items()
    }


def _replaced(text: str, unknown: set[str]) -> str:
    return "".join(REPLACEMENT if character in unknown else character for character in text)


def _pdf(compiler: typst.Compiler, inputs: dict[str, str], *, created: datetime) -> bytes:
    pdf = compiler.compile(format="pdf", sys_inputs=inputs, pdf_standards="a-3b", timestamp=created)
    if not isinstance(pdf, bytes):
        raise TypeError("Typst returned no single file")
    return pdf
