"""Who is one customer, where a trial is had once?"""

from __future__ import annotations

_WITHOUT_DOTS = frozenset({"gmail.com", "googlemail.com"})


def email_key(email: str | None) -> str | None:
    """A mail address without what makes no difference to who reads the mail: capitals, space around it,
    what follows a plus and, where the provider says so, dots.
    """
    name, at, host = (email or "").strip().lower().rpartition("@")
    if not at:
        return None
    name = name.partition("+")[0] or name
    if host in _WITHOUT_DOTS:
        name, host = name.replace(".", "") or name, "gmail.com"
    return f"{name}@{host}"
