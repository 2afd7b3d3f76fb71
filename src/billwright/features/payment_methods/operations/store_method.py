"""What happens when a payer has left a method?"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from billwright.features.accounts.model import Account, AccountStatus
from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.payment_methods.events import PaymentMethodAdded
from billwright.features.payment_methods.model import MethodId, MethodStatus, StoredMethod
from billwright.features.payment_methods.operations.refresh_method import renew_method
from billwright.features.payment_methods.operations.remove_method import remove_method
from billwright.features.payment_methods.operations.tell_fingerprint import tell_fingerprint
from billwright.features.payment_methods.operations.update_presence import update_presence
from billwright.features.payment_methods.sql.reads import default_method_of, methods_of_reference
from billwright.features.payment_methods.sql.sealed_methods import sealed_words
from billwright.features.payment_methods.sql.writes import (
    clear_default,
    insert_method,
    update_method,
)
from billwright.features.payment_providers.port import SavedMethod
from billwright.kernel.calendar import local_date
from billwright.kernel.ids import new_id
from billwright.runtime.db.tx import Tx
from billwright.runtime.secrets import SecretBox


async def store_method(
    tx: Tx,
    *,
    account_id: UUID,
    provider: str,
    method: SavedMethod,
    consent: str,
    box: SecretBox,
) -> MethodId:
    """Keep a method for later payments without its payer. One that the account has left before is
    renewed instead. It becomes the default where there is none, or none that is any good.

    `consent` names the occasion on which the payer agreed, such as one page. It can be given once: what
    was removed since stays removed, however often the provider repeats itself. What is left for an
    account that is closed meanwhile is removed at once.

    Refuses: `account_unknown`.
    """
    account = await lock_account(tx, account_id)
    method_id = await _kept(tx, account, provider=provider, method=method, consent=consent, box=box)
    if account.status is AccountStatus.CLOSED:
        await remove_method(tx, method_id)
    return method_id


async def _kept(
    tx: Tx, account: Account, *, provider: str, method: SavedMethod, consent: str, box: SecretBox
) -> MethodId:
    known = next(
        (
            one
            for one in await methods_of_reference(
                tx, provider=provider, reference=method.reference, box=box
            )
            if one.account_id == account.id
        ),
        None,
    )
    if known is None:
        return await _add(tx, account, provider=provider, method=method, consent=consent, box=box)
    if known.consent == consent and known.status is MethodStatus.REMOVED:
        return known.id
    renewed = await renew_method(tx, known, said=method, box=box)
    if known.consent != consent:
        await _agree_again(tx, account, method=renewed, consent=consent)
    return known.id


async def _add(
    tx: Tx, account: Account, *, provider: str, method: SavedMethod, consent: str, box: SecretBox
) -> MethodId:
    method_id = MethodId(new_id())
    words = sealed_words(
        box, method, provider=provider, tenant_id=tx.tenant_id, method_id=method_id
    )
    added = StoredMethod(
        id=method_id,
        account_id=account.id,
        provider=provider,
        kind=method.kind,
        label=method.label,
        status=MethodStatus.ACTIVE,
        is_default=await _is_needed(tx, account),
        is_chargeable=True,
        expires_on=method.expires_on,
        reference_sealed=words.reference_sealed,
        payer_reference_sealed=words.payer_reference_sealed,
        consented_at=tx.now,
        consent=consent,
        version=1,
        created_at=tx.now,
        updated_at=tx.now,
    )
    if added.is_default:
        await clear_default(tx, account.id)
    await insert_method(tx, added, words=words)
    await tell_fingerprint(tx, account.id, provider=provider, method=method, box=box)
    await _announce(tx, added)
    return method_id


async def _agree_again(tx: Tx, account: Account, *, method: StoredMethod, consent: str) -> None:
    """What its payer leaves once more can be charged again, whatever became of it before."""
    is_default = method.is_default or await _is_needed(tx, account)
    agreed = replace(
        method,
        status=MethodStatus.ACTIVE,
        is_default=is_default,
        is_chargeable=True,
        consented_at=tx.now,
        consent=consent,
        version=method.version + 1,
        updated_at=tx.now,
        removed_at=None,
        detach_at=None,
    )
    if is_default and not method.is_default:
        await clear_default(tx, account.id)
    await update_method(tx, agreed)
    await _announce(tx, agreed)


async def _is_needed(tx: Tx, account: Account) -> bool:
    """Whether the account's default is missing, refused for good, or past its end: who leaves another
    one then wants it to be used.
    """
    default = await default_method_of(tx, account.id)
    if default is None or not default.is_chargeable:
        return True
    today = local_date(tx.now, account.zone)
    return default.expires_on is not None and default.expires_on < today


async def _announce(tx: Tx, method: StoredMethod) -> None:
    tx.publish(
        PaymentMethodAdded(
            subject_id=method.id,
            account_id=method.account_id,
            provider=method.provider,
            kind=method.kind.value,
            label=method.label,
            is_default=method.is_default,
        )
    )
    tx.audit(
        "payment_method.store",
        subject_type="payment_method",
        subject_id=method.id,
        details={
            "provider": method.provider,
            "label": method.label,
            "consent": method.consent,
            "is_default": method.is_default,
        },
    )
    await update_presence(tx, method.account_id)
