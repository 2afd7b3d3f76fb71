"""Does anybody remain who can let others in?"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from billwright.features.identity.errors import last_admin
from billwright.features.identity.model import User


def check_admin_remains(admins: Iterable[User], *, without: UUID) -> None:
    """One administrator may go if another one stays who is not locked; who is none, or is locked, is
    not missed. Refuses: `last_admin`.
    """
    able = {admin.id for admin in admins if admin.locked_at is None}
    if able == {without}:
        raise last_admin()
