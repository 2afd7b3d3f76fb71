"""In which form is the value of a setting given?"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from email.utils import parseaddr
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr

from billwright.runtime.settings_file import expanded


def list_of_text(value: object) -> object:
    """Text with commas is a list."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def pairs_of_text(value: object) -> object:
    """Text with commas is a list of names with their values."""
    if not isinstance(value, str):
        return value
    parts = [part.partition("=") for part in value.split(",") if part.strip()]
    if any(not name.strip() or not sign for name, sign, _ in parts):
        raise ValueError("it is a list of name=value with commas between them")
    return {name.strip(): text.strip() for name, _, text in parts}


def header_pairs(text: str) -> dict[str, str]:
    """Headers from a list of name=value, in which what a header may not hold is written with %."""
    pairs = pairs_of_text(text)
    assert isinstance(pairs, dict)  # noqa: S101 - made from text
    return {name.lower(): unquote(value) for name, value in pairs.items()}


def exactly_true(value: object) -> bool:
    """Only the very word says yes, and nothing is wrong."""
    return value is True or value == "true"


def lower_case(value: object) -> object:
    """Words are understood in capital letters too."""
    return value.lower() if isinstance(value, str) else value


def database_address(address: str) -> None:
    """Accepts the address of a PostgreSQL."""
    try:
        parts = urlsplit(address)
        complete = parts.scheme == "postgresql" and bool(parts.path.strip("/"))
        _ = parts.port  # raises when it is no number
    except ValueError:
        complete = False
    if not complete:
        raise ValueError("the address must have the form postgresql://user:password@host/database")


def web_address(value: str) -> str:
    """Accepts an address of the web; it ends without a slash."""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("the address must begin with http:// or https:// and name a host")
    return value.rstrip("/")


def is_protected(address: str) -> bool:
    """Whether nobody between here and there can read or change what is sent: https, or this machine."""
    parts = urlsplit(address)
    if parts.scheme != "http":
        return parts.scheme == "https"
    try:
        return parts.hostname == "localhost" or ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def long_token(value: str) -> None:
    """Accepts what cannot be guessed soon."""
    if len(value) < 16:
        raise ValueError("a token has 16 characters or more")


def secret_with(*prefixes: str) -> Callable[[str], None]:
    """Accepts a secret that begins as its issuer's do."""

    def check(value: str) -> None:
        if not value.startswith(prefixes):
            raise ValueError(f"it begins with {' or '.join(prefixes)}")

    return check


def sender(value: str) -> str:
    """Accepts a mail address, with or without a name."""
    if "@" not in parseaddr(value)[1]:
        raise ValueError("a sender is an e-mail address, with or without a name")
    return value


def signing_secret(value: str) -> None:
    """Accepts a secret in the form of Standard Webhooks."""
    prefix, _, encoded = value.partition("_")
    try:
        key = base64.b64decode(encoded, validate=True) if prefix == "whsec" else b""
    except binascii.Error:
        key = b""
    if len(key) < 24:
        raise ValueError("it is whsec_ and the base64 text of 24 bytes or more")


def secretly(check: Callable[[str], object]) -> AfterValidator:
    """The check of a value that is not to be seen."""

    def checked(value: SecretStr) -> SecretStr:
        check(value.get_secret_value())
        return value

    return AfterValidator(checked)


Folder = Annotated[Path, AfterValidator(expanded)]
WebAddress = Annotated[str, AfterValidator(web_address)]
CommaList = BeforeValidator(list_of_text)
PairList = BeforeValidator(pairs_of_text)
