"""What must never be readable in a log, and what is written in its place?

Secrets are recognized twice: by the name they are logged under, and by their own form wherever they
appear, in messages, nested values and the texts of exceptions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from types import NoneType
from uuid import UUID

REDACTED = "[redacted]"
_DEEPEST = 8
_LONGEST_TEXT = 20_000
_PLAIN = (bool, float, datetime, date, UUID, Decimal, NoneType)

# Made by this product from its own closed sets, so that the common line costs little.
_OWN_NAMES = frozenset(
    {
        "timestamp",
        "level",
        "request_id",
        "method",
        "route",
        "status",
        "duration_ms",
        "tenant",
        "job",
    }
)

_WORDS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+")
_SECRET_WORD = re.compile(
    r"authorization|auth|bearer|tokens?|secrets?|passwords?|passwd|passphrase|pwd|cookies?|cvc|cvv"
    r"|pin|signature|credentials?|card|cardnumber|pan|dsn|jwt|otp|apikey"
)
_SECRET_PAIR = re.compile(
    r"(api|access|private|signing|encryption|secret|master|webhook)_key"
    r"|database_url|connection_string|session_id"
)

_EMAIL = re.compile(r"([A-Za-z0-9])[A-Za-z0-9._%+'-]{0,64}@([A-Za-z0-9.-]{1,253}\.[A-Za-z]{2,63})")
# Not within a UUID, whose groups of digits look alike.
_CARD = re.compile(
    r"(?<![0-9A-Za-z.])(?<![0-9A-Fa-f]{4}-)[2-6](?:[ -]?[0-9]){12,18}(?![0-9A-Za-z])"
)
_IBAN = re.compile(r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}\b")
_URL_PASSWORD = re.compile(r"(://[^\s/:@]*):[^\s/@]+@")
_BY_PREFIX = re.compile(
    r"\b(?:bw|sk|rk|pk)_[A-Za-z0-9_]{8,}"
    r"|\bwhsec_[A-Za-z0-9+/=_-]{8,}"
    r"|\beyJ[A-Za-z0-9_-]{5,2000}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*){1,3}"
)
_SCHEME = re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9._~+/=:-]{4,}", re.IGNORECASE)
_ASSIGNMENT = re.compile(
    r"""(?P<name>[A-Za-z0-9_-]{0,40}(?:token|secret|password|passwd|passphrase|pwd|api[_-]?key|cookie
    |cvc|cvv|signature|credentials?|authorization|private[_-]?key|encryption[_-]?key|database_url))
    (?P<sign>["']?\s*[=:]\s*)
    (?P<value>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|(?:(?:bearer|basic)\s+)?[^\s"',;&]+)""",
    re.IGNORECASE | re.VERBOSE,
)
_ASSIGNED = (
    *("token", "secret", "pass", "pwd", "key", "cookie", "cvc", "cvv", "signature"),
    *("credential", "authorization", "database_url"),
)


def redacted_line(line: Mapping[str, object]) -> dict[str, object]:
    """A whole log line."""
    return {
        name: value if name in _OWN_NAMES else _redacted_member(name, value, depth=0)
        for name, value in line.items()
    }


def redacted(value: object, depth: int = 0) -> object:
    """The value as JSON can hold it, with every secret in it replaced."""
    if isinstance(value, str):
        return redacted_text(value)
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, int):
        return value if -(10**12) < value < 10**12 else _redacted_number(value)
    if isinstance(value, bytes):
        return redacted_text(value.decode("utf-8", "replace"))
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return _redacted_members(value, depth + 1)
    return redacted_text(repr(value))


def _redacted_members(value: Mapping[object, object] | Iterable[object], depth: int) -> object:
    if depth > _DEEPEST:
        return "[too deep]"
    if isinstance(value, Mapping):
        return {
            redacted_text(str(name)): _redacted_member(str(name), member, depth=depth)
            for name, member in value.items()
        }
    return [redacted(item, depth) for item in value]


def _redacted_member(name: str, value: object, *, depth: int) -> object:
    """A named value: gone if the name says that it is a secret."""
    if value is None or isinstance(value, bool):
        return value
    if is_secret_name(name):
        return REDACTED
    return redacted(value, depth)


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Whether what goes by this name is a secret, in any of the usual spellings."""
    words = [word.lower() for word in _WORDS.findall(name)]
    pairs = (f"{first}_{second}" for first, second in pairwise(words))
    return any(map(_SECRET_WORD.fullmatch, words)) or any(map(_SECRET_PAIR.fullmatch, pairs))


def redacted_text(text: str) -> str:
    """Text with every recognizable secret replaced; e-mail addresses and IBANs keep their ends.

    The cheap tests come first: most texts hold none of the characters that a secret needs. A text
    is cut at 20,000 characters, so that nobody can make a log line expensive.
    """
    if len(text) < 5:
        return text
    if len(text) > _LONGEST_TEXT:
        text = f"{text[:_LONGEST_TEXT]}[cut]"
    if "://" in text and "@" in text:
        text = _URL_PASSWORD.sub(rf"\1:{REDACTED}@", text)
    if "@" in text:
        text = _EMAIL.sub(r"\1***@\2", text)
    if "_" in text or "eyJ" in text:
        text = _BY_PREFIX.sub(REDACTED, text)
    lowered = text.lower()
    if ("=" in text or ":" in text) and _names_a_secret(lowered):
        text = _ASSIGNMENT.sub(rf"\g<name>\g<sign>{REDACTED}", text)
    if "bearer" in lowered or "basic" in lowered:
        text = _SCHEME.sub(rf"\1 {REDACTED}", text)
    if len(text) >= 13:
        text = _CARD.sub(_without_card, text)
        if not text.islower():
            text = _IBAN.sub(_without_account, text)
    return text


def _names_a_secret(lowered: str) -> bool:
    return any(map(lowered.__contains__, _ASSIGNED))


def _redacted_number(value: int) -> object:
    text = redacted_text(str(value))
    return value if text == str(value) else text


def _without_card(match: re.Match[str]) -> str:
    digits = [int(character) for character in match[0] if character.isdigit()]
    return f"[card {match[0][-4:]}]" if _is_luhn(digits) else match[0]


def _is_luhn(digits: list[int]) -> bool:
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _without_account(match: re.Match[str]) -> str:
    compact = match[0].replace(" ", "")
    number = "".join(str(int(character, 36)) for character in compact[4:] + compact[:4])
    return f"{compact[:4]}***{compact[-4:]}" if int(number) % 97 == 1 else match[0]
