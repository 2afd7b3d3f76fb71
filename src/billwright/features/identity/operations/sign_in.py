"""Who knows this password?"""

from __future__ import annotations

from billwright.features.identity.errors import sign_in_failed
from billwright.features.identity.model import Credentials, User
from billwright.features.identity.operations.passwords import password_is
from billwright.features.identity.rules.email import stored_form
from billwright.features.identity.rules.sign_in import has_same_password, refusal_of
from billwright.features.identity.rules.token_text import TOKEN_PREFIX
from billwright.features.identity.sql.reads_users import credentials_by_email
from billwright.features.identity.sql.writes_users import renew_hash
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.tx import OpenTx, Tx


async def sign_in(open_tx: OpenTx, *, email: str, password: str) -> User:
    """The user, for whom a session may begin.

    What is wrong, neither the answer nor its time tells anybody who does not know the password. The
    attempt is recorded also where it is refused. Refuses: `sign_in_failed`, `user_locked`,
    `email_not_confirmed`.
    """
    address = stored_form(email)
    async with open_tx() as tx:
        known = await credentials_by_email(tx, address)
    # A token is exchanged for a session, and is nobody's password.
    is_token = password.startswith(TOKEN_PREFIX)
    stored = None if known is None or is_token else known.password_hash
    check = await password_is(password, stored=stored)
    async with open_tx() as tx:
        now_known = await credentials_by_email(tx, address)
        refusal = _refusal(known, now_known=now_known, ok=check.ok)
        if known and refusal is None and check.rehashed is not None:
            await renew_hash(tx, known, password_hash=check.rehashed)
        _audit(tx, now_known, email=email, refusal=refusal)
    if refusal is not None or now_known is None:
        raise refusal or sign_in_failed()
    return now_known.user


def _refusal(
    known: Credentials | None, *, now_known: Credentials | None, ok: bool
) -> Refusal | None:
    if not ok or known is None or now_known is None:
        return sign_in_failed()
    if not has_same_password(known, now_known=now_known):
        return sign_in_failed()
    return refusal_of(now_known.user)


def _audit(tx: Tx, known: Credentials | None, *, email: str, refusal: Refusal | None) -> None:
    details = {"email": email} if refusal is None else {"email": email, "code": refusal.code}
    tx.audit(
        "user.sign_in" if refusal is None else "user.sign_in_failed",
        subject_type="tenant" if known is None else "user",
        subject_id=tx.tenant_id if known is None else known.user.id,
        details=details,
    )
