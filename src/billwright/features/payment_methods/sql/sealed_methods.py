"""How are a provider's words for a method kept, so that only we can read and find them?"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from billwright.features.payment_methods.model import StoredMethod
from billwright.features.payment_providers.port import SavedMethod
from billwright.kernel.ids import TenantId
from billwright.runtime.secrets import SecretBox


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedWords:
    """What stands in the row instead of the words; equal fingerprints have equal digests."""

    reference_sealed: str
    reference_digest: bytes
    payer_reference_sealed: str | None
    fingerprint_digest: bytes | None


def sealed_words(
    box: SecretBox, method: SavedMethod, *, provider: str, tenant_id: TenantId, method_id: UUID
) -> SealedWords:
    """The words of a method for its row, under the current key."""
    payer, fingerprint = method.payer_reference, method.fingerprint
    return SealedWords(
        reference_sealed=box.seal(
            method.reference.encode(), context=_reference_context(tenant_id, method_id=method_id)
        ),
        reference_digest=reference_digests(box, provider=provider, reference=method.reference)[0],
        payer_reference_sealed=None
        if payer is None
        else box.seal(payer.encode(), context=_payer_context(tenant_id, method_id=method_id)),
        fingerprint_digest=None
        if fingerprint is None
        else fingerprint_digests(box, provider=provider, fingerprint=fingerprint)[0],
    )


def reference_digests(box: SecretBox, *, provider: str, reference: str) -> list[bytes]:
    """By what a provider's reference of a method is found, in whichever tenant, under every known key."""
    return box.digests(reference.encode(), context=f"payment_method.reference:{provider}")


def fingerprint_digests(box: SecretBox, *, provider: str, fingerprint: str) -> list[bytes]:
    """By what a card or a bank account is known, whoever has left it, under every known key."""
    return box.digests(fingerprint.encode(), context=f"payment_method.fingerprint:{provider}")


def opened_method(box: SecretBox, stored: StoredMethod, *, tenant_id: TenantId) -> SavedMethod:
    """A method as its provider knows it; of its fingerprint there is only the digest."""
    payer = stored.payer_reference_sealed
    reference = box.open(
        stored.reference_sealed, context=_reference_context(tenant_id, method_id=stored.id)
    )
    return SavedMethod(
        reference=reference.decode(),
        kind=stored.kind,
        label=stored.label,
        payer_reference=None
        if payer is None
        else box.open(payer, context=_payer_context(tenant_id, method_id=stored.id)).decode(),
        expires_on=stored.expires_on,
    )


def _reference_context(tenant_id: TenantId, *, method_id: UUID) -> str:
    return f"payment_method.reference:{tenant_id}:{method_id}"


def _payer_context(tenant_id: TenantId, *, method_id: UUID) -> str:
    return f"payment_method.payer_reference:{tenant_id}:{method_id}"
