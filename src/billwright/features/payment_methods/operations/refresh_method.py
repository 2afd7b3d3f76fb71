"""What happens when a provider knows more of a method than we do?"""

from __future__ import annotations

from dataclasses import replace

from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.payment_methods.events import PaymentMethodChanged
from billwright.features.payment_methods.model import MethodStatus, StoredMethod
from billwright.features.payment_methods.operations.tell_fingerprint import tell_fingerprint
from billwright.features.payment_methods.operations.update_presence import update_presence
from billwright.features.payment_methods.sql.reads import methods_of_reference
from billwright.features.payment_methods.sql.sealed_methods import opened_method, sealed_words
from billwright.features.payment_methods.sql.writes import reseal_method, update_method
from billwright.features.payment_providers.port import SavedMethod
from billwright.runtime.db.tx import Tx
from billwright.runtime.secrets import SecretBox

_TOLD = ("expires_on", "is_chargeable", "kind", "label")


async def refresh_method(tx: Tx, *, provider: str, method: SavedMethod, box: SecretBox) -> bool:
    """Take over what a provider says of a method, for every account that has left it. One that was
    removed stays as it is. Answers whether anybody has left it.
    """
    asked = {"provider": provider, "reference": method.reference}
    for known in await methods_of_reference(tx, **asked, box=box):
        await lock_account(tx, known.account_id)
    left = await methods_of_reference(tx, **asked, box=box)  # again, now that they are locked
    for known in left:
        if known.status is MethodStatus.ACTIVE:
            await renew_method(tx, known, said=method, box=box)
    return bool(left)


async def renew_method(
    tx: Tx, known: StoredMethod, *, said: SavedMethod, box: SecretBox
) -> StoredMethod:
    """Store what is new of a method of a locked account; what is known already changes nothing.

    A new card in place of the old one can be charged again, although the old one was refused for good.
    """
    await _reseal(tx, known, said=said, box=box)
    await tell_fingerprint(tx, known.account_id, provider=known.provider, method=said, box=box)
    is_another = (said.label, said.expires_on) != (known.label, known.expires_on)
    renewed = replace(
        known,
        kind=said.kind,
        label=said.label,
        expires_on=said.expires_on,
        is_chargeable=known.is_chargeable or is_another,
    )
    changed = tuple(name for name in _TOLD if getattr(renewed, name) != getattr(known, name))
    if not changed:
        return known
    renewed = replace(renewed, version=known.version + 1, updated_at=tx.now)
    await update_method(tx, renewed)
    tx.publish(
        PaymentMethodChanged(subject_id=known.id, account_id=known.account_id, changed=changed)
    )
    tx.audit(
        "payment_method.refresh",
        subject_type="payment_method",
        subject_id=known.id,
        details={"label": renewed.label, "expires_on": renewed.expires_on},
    )
    await update_presence(tx, known.account_id)
    return renewed


async def _reseal(tx: Tx, known: StoredMethod, *, said: SavedMethod, box: SecretBox) -> None:
    """A provider that names no payer this time has not taken the last one back."""
    opened = opened_method(box, known, tenant_id=tx.tenant_id)
    payer_reference = said.payer_reference or opened.payer_reference
    if payer_reference == opened.payer_reference and not box.needs_resealing(
        known.reference_sealed
    ):
        return
    words = sealed_words(
        box,
        replace(said, payer_reference=payer_reference),
        provider=known.provider,
        tenant_id=tx.tenant_id,
        method_id=known.id,
    )
    await reseal_method(tx, known, words=words)
