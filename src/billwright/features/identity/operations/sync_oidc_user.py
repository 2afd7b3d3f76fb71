"""Who is it for whom an OpenID Connect server vouches?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from billwright.features.identity.errors import email_taken, user_locked
from billwright.features.identity.model import Role, User
from billwright.features.identity.operations.add_user import add_user, first_or_later
from billwright.features.identity.rules.changed_user import user_updated, with_confirmed_email
from billwright.features.identity.rules.email import stored_form
from billwright.features.identity.rules.new_user import new_user
from billwright.features.identity.rules.oidc_user import addresses_for, linked
from billwright.features.identity.sql.reads_users import find_user_by_oidc_subject, user_by_id
from billwright.features.identity.sql.writes_users import (
    forget_codes,
    locked_row,
    locked_row_by_email,
    update_user_row,
)
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import Tx


async def sync_oidc_user(
    tx: Tx,
    *,
    subject: str,
    email: str | None,
    email_verified: bool,
    locale: str,
    preferred_username: str | None = None,
) -> User:
    """The user of a subject: the one who is known by it, else who has the verified address, else a new
    one. Nothing is written where nothing is new, since every request asks this.

    A tenant's first user is its administrator. Refuses: `user_locked`, `email_taken`.
    """
    verified = stored_form(email) if email is not None and email_verified else None
    user = await find_user_by_oidc_subject(tx, subject)
    if user is None and verified is not None:
        user = await _link(tx, subject=subject, email=verified)
    if user is None:
        addresses = addresses_for(subject, email=email, preferred_username=preferred_username)
        user = await _create(tx, addresses, subject=subject, verified=verified, locale=locale)
    if user.locked_at is not None:
        raise user_locked()
    if user.email_confirmed_at is None and user.email == verified:
        user = await _confirm(tx, user.id)
    return user


async def _link(tx: Tx, *, subject: str, email: str) -> User | None:
    """Know the user who has the address by the subject, unless they are known by another one."""
    known = await locked_row_by_email(tx, email)
    if known is None or known.user.oidc_subject is not None:
        # Another request of the same user may have come first, and have been waited for.
        return await find_user_by_oidc_subject(tx, subject)
    user = linked(known.user, subject=subject, now=tx.now)
    kept = known.password_hash if user.has_password else None
    if not await update_user_row(tx, user, password_hash=kept):
        return await find_user_by_oidc_subject(tx, subject)
    await forget_codes(tx, user.id)
    if user.has_password != known.user.has_password:
        tx.publish(user_updated(user, changed=("password",)))
    _audit(tx, user, action="user.link")
    return await user_by_id(tx, user.id)


async def _create(
    tx: Tx, addresses: Sequence[str], *, subject: str, verified: str | None, locale: str
) -> User:
    """A new user under the first address that is free, unless another request has made them."""
    for address in addresses:
        user = replace(
            new_user(new_id(), email=address, locale=locale, role=Role.USER, now=tx.now),
            has_password=False,
            oidc_subject=subject,
            email_confirmed_at=tx.now if address == verified else None,
        )
        user = await first_or_later(tx, user)
        if await add_user(tx, user, password_hash=None):
            _audit(tx, user, action="user.create")
            return user
        if known := await find_user_by_oidc_subject(tx, subject):
            return known
    raise email_taken(email=addresses[-1])


async def _confirm(tx: Tx, user_id: UUID) -> User:
    known = await locked_row(tx, user_id)
    user = with_confirmed_email(known.user, now=tx.now)
    await update_user_row(tx, user, password_hash=known.password_hash)
    _audit(tx, user, action="user.confirm_email")
    return await user_by_id(tx, user_id)


def _audit(tx: Tx, user: User, *, action: str) -> None:
    tx.audit(
        action,
        subject_type="user",
        subject_id=user.id,
        details={"email": user.email, "oidc_subject": user.oidc_subject},
    )
