"""Which characters of a text may reach the page?

Typst gets every text as a string of JSON and never as markup, so nothing here guards against
injection. This is about characters that would break a file or a line: controls, bidirectional
overrides that could turn an amount around, and words too long for their column.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from billwright.providers.document.typst.content import Content

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

_BREAK = "\N{ZERO WIDTH SPACE}"
_LONG_RUN = re.compile(r"\S{28,}")
_PIECE = 6
_BIDIRECTIONAL = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)


def printable(text: str) -> str:
    """Without controls, overrides and lone surrogates; line breaks stay."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    return "".join(filter(None, map(_printable_character, unified)))


def breakable(text: str) -> str:
    """With places to break in every run that is longer than any ordinary word."""
    return _LONG_RUN.sub(_broken, text)


def is_simple(character: str) -> bool:
    """Whether it is Latin, Greek or Cyrillic, where every character stands for itself."""
    return (
        character <= "\u024f"
        or "\u0370" <= character <= "\u0482"
        or character in {_BREAK, REPLACEMENT, "\u20ac"}
    )


def mapped(content: Content, change: Callable[[str], str]) -> Content:
    """The same content with every text in it changed."""
    match content:
        case str():
            return change(content)
        case list():
            return [mapped(item, change) for item in content]
        case dict():
            return {key: mapped(item, change) for key, item in content.items()}
        case _:
            return content


def _printable_character(character: str) -> str:
    if character == "\n":
        return character
    if character in _BIDIRECTIONAL:
        return ""
    match unicodedata.category(character):
        case "Cc":
            return " "
        case "Cs":
            return REPLACEMENT
        case "Zl" | "Zp":
            return "\n"
        case _:
            return character


def _broken(run: re.Match[str]) -> str:
    """Never before a mark, which belongs to the character it follows."""
    characters = list(run.group())
    for index in range(_PIECE, len(characters), _PIECE):
        if not unicodedata.category(characters[index]).startswith("M"):
            characters[index] = _BREAK + characters[index]
    return "".join(characters)
