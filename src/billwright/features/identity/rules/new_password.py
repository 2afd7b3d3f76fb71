"""May this be a password?"""

from __future__ import annotations

from billwright.features.identity.errors import password_too_long, password_too_short

LEAST_CHARACTERS = 8
MOST_BYTES = 1024


def check_new_password(text: str) -> None:
    """Refuses: `password_too_short`, `password_too_long`."""
    if len(text) < LEAST_CHARACTERS:
        raise password_too_short(pointer="/password")
    if len(password_bytes(text)) > MOST_BYTES:
        raise password_too_long(pointer="/password")


def password_bytes(text: str) -> bytes:
    """What is hashed; also of a text that is no proper Unicode, which then is nobody's password."""
    return text.encode("utf-8", "surrogatepass")
