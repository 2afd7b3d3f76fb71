"""In which form is an e-mail address known?"""

from __future__ import annotations

from billwright.features.identity.errors import email_malformed

# RFC 5321: the longest that can be written to.
_LONGEST = 254


def stored_form(text: str) -> str:
    """The form in which addresses are stored and looked for: capital letters do not count."""
    return text.strip().lower()


def email_from(text: str) -> str:
    """An address that somebody can be given. Refuses: `email_malformed`."""
    address = stored_form(text)
    name, _, domain = address.rpartition("@")
    if not (name and domain and len(address) <= _LONGEST and is_one_word(address)):
        raise email_malformed(pointer="/email")
    return address


def is_one_word(text: str) -> bool:
    """Whether nothing in it is a space, a control or half a character."""
    return text.isprintable() and " " not in text
