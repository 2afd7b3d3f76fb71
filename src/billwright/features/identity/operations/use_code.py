"""Is this the code that was mailed?"""

from __future__ import annotations

from hmac import compare_digest

from billwright.features.identity.events import EmailConfirmationRequested
from billwright.features.identity.model import CodePurpose, Credentials, OneTimeCode
from billwright.features.identity.operations.issue_code import digests_of
from billwright.features.identity.rules.codes import after_wrong_attempt, is_open
from billwright.features.identity.rules.email import stored_form
from billwright.features.identity.sql.writes_users import (
    code_of,
    count_attempt,
    forget_codes,
    locked_row_by_email,
)
from billwright.runtime.db.tx import Tx
from billwright.runtime.secrets import SecretBox


async def use_code(
    tx: Tx, box: SecretBox, *, email: str, code: str, purpose: CodePurpose
) -> Credentials | None:
    """The user whose code it is, which is used up by this; none, and an attempt less, if it is not.

    The caller commits in both cases, and refuses afterwards.
    """
    known = await locked_row_by_email(tx, stored_form(email))
    if known is not None:
        kept = await code_of(tx, known.user.id, purpose=purpose)
        possible = digests_of(tx, box, code=code, purpose=purpose, user=known.user)
        if kept is not None and is_open(kept, now=tx.now) and _is_among(possible, kept.digest):
            await forget_codes(tx, known.user.id, purposes=(purpose,))
            return known
        if kept is not None:
            await _count(tx, kept)
    tx.audit(
        "user.code_refused",
        subject_type="tenant" if known is None else "user",
        subject_id=tx.tenant_id if known is None else known.user.id,
        details={"email": email, "purpose": purpose},
    )
    return None


def _is_among(possible: list[bytes], digest: bytes) -> bool:
    return any(compare_digest(one, digest) for one in possible)


async def _count(tx: Tx, code: OneTimeCode) -> None:
    tried = after_wrong_attempt(code, now=tx.now)
    await count_attempt(tx, tried)
    if tried.renewed_at != code.renewed_at:
        tx.publish(EmailConfirmationRequested(subject_id=code.user_id, account_id=None))
