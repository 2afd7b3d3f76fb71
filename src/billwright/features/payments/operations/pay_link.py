"""Which address leads a payer to what they owe?"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from hmac import compare_digest
from uuid import UUID

from billwright.features.payment_providers.port import Capability, PaymentProviders, PlayedProvider
from billwright.kernel.ids import TenantId
from billwright.runtime.secrets import SecretBox

PAY_PATH = "/pay"
_CONTEXT = "pay_link"
_UUID_BYTES = 16
# Half of the digest, the shortest that RFC 2104 recommends, keeps the address on one line of a mail.
_DIGEST_BYTES = 16
_TOKEN_BYTES = 2 * _UUID_BYTES + _DIGEST_BYTES


@dataclass(frozen=True, slots=True)
class PayTarget:
    """What a link is about."""

    tenant_id: TenantId
    invoice_id: UUID


@dataclass(frozen=True, slots=True)
class PayLinks:
    """Makes and reads the addresses at which invoices are paid.

    A link says what it is about and is signed, so that nobody can make one for another invoice; the
    same invoice always gets the same one, which is why none is stored. Who has it can see what is
    due and pay it, and nothing else. One that was signed with a retired key still opens.
    """

    public_url: str
    box: SecretBox

    def link_to(self, target: PayTarget) -> str:
        named = target.tenant_id.bytes + target.invoice_id.bytes
        token = base64.urlsafe_b64encode(named + self._signatures(named)[0]).decode("ascii")
        return f"{self.public_url}{PAY_PATH}/{token}"

    def target_of(self, token: str) -> PayTarget | None:
        """What the last part of a link is about; none when it is not one of ours."""
        try:
            content = base64.b64decode(token, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        if len(content) != _TOKEN_BYTES:
            return None
        named, given = content[:-_DIGEST_BYTES], content[-_DIGEST_BYTES:]
        if not any(compare_digest(given, right) for right in self._signatures(named)):
            return None
        tenant_id, invoice_id = named[:_UUID_BYTES], named[_UUID_BYTES:]
        return PayTarget(TenantId(UUID(bytes=tenant_id)), UUID(bytes=invoice_id))

    def _signatures(self, named: bytes) -> list[bytes]:
        """By every key in use, the current one first."""
        return [digest[:_DIGEST_BYTES] for digest in self.box.digests(named, context=_CONTEXT)]


def page_provider(providers: PaymentProviders) -> str | None:
    """Whose page a payer gets who has not chosen: one that moves money before one that only plays with
    it; none where no provider has pages.
    """
    able = [each for each in providers.values() if Capability.CHECKOUT in each.capabilities]
    able.sort(key=lambda each: (isinstance(each, PlayedProvider), each.name))
    return able[0].name if able else None
