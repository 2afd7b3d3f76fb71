"""Who is somebody whom an OpenID Connect server vouches for?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from billwright.features.identity.model import User
from billwright.features.identity.rules.email import is_one_word, stored_form

_LONGEST = 254


def addresses_for(
    subject: str, *, email: str | None, preferred_username: str | None
) -> tuple[str, ...]:
    """Under which addresses a new user may be known, the best one first.

    The next one is for when somebody else has the address already and it cannot be said that both are
    the same person.
    """
    told = (stored_form(text) for text in (email, preferred_username) if text is not None)
    usable = [text for text in told if text and len(text) <= _LONGEST and is_one_word(text)]
    return tuple(dict.fromkeys((*usable, stored_form(f"{subject}@keycloak"))))


def linked(user: User, *, subject: str, now: datetime) -> User:
    """The user as the server knows them. A password that was set before the address was confirmed may be
    another person's, and goes with all of its sessions.
    """
    known = replace(user, oidc_subject=subject, updated_at=now)
    if user.email_confirmed_at is not None:
        return known
    return replace(
        known,
        email_confirmed_at=now,
        has_password=False,
        token_version=user.token_version + 1 if user.has_password else user.token_version,
    )
