"""How does a code come to be that proves an address?"""

from __future__ import annotations

import secrets
from uuid import UUID

from billwright.features.identity.model import CodePurpose, User
from billwright.features.identity.rules.codes import ALPHABET, ATTEMPTS, LENGTH, expiry_of
from billwright.features.identity.sql.writes_users import keep_code, locked_row
from billwright.runtime.db.tx import Tx
from billwright.runtime.secrets import SecretBox


async def issue_code(tx: Tx, user_id: UUID, *, box: SecretBox, purpose: CodePurpose) -> str:
    """A new code, to be mailed to the address that the user has now; an older one is worth nothing.

    Only a keyed digest of it is stored. Refuses: `user_unknown`.
    """
    user = (await locked_row(tx, user_id)).user
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    await keep_code(
        tx,
        user_id,
        purpose=purpose,
        digest=digests_of(tx, box, code=code, purpose=purpose, user=user)[0],
        attempts=ATTEMPTS,
        expires_at=expiry_of(purpose, now=tx.now),
    )
    return code


def digests_of(
    tx: Tx, box: SecretBox, *, code: str, purpose: CodePurpose, user: User
) -> list[bytes]:
    """What a user's code may be stored as. It proves one address, and nothing for anybody else."""
    context = f"one_time_code.{tx.tenant_id}.{user.id}.{purpose}.{user.email}"
    return box.digests(code.encode(errors="surrogatepass"), context=context)
