"""Which seller and which buyer does a document name?"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from uuid import UUID

import msgspec

from billwright.features.accounts.model import Account
from billwright.features.tenancy.model import Seller
from billwright.kernel.quick import quickly_made

_encode = msgspec.json.Encoder(order="deterministic").encode


@quickly_made
@dataclass(frozen=True, slots=True)
class Party:
    """A party's data as JSON, with an id that is a digest of it: same data, same id."""

    id: UUID
    data: msgspec.Raw


def seller_party(seller: Seller) -> Party:
    """The seller as it is now."""
    return _party(seller.party)


def buyer_party(account: Account) -> Party:
    """The buyer as it is now."""
    return _party(
        {
            "name": account.name,
            "address": account.address,
            "email": account.email,
            "tax_id": account.tax_id,
            "reference": account.reference,
            "customer_number": account.number,
        }
    )


def _party(data: object) -> Party:
    encoded = _encode(data)
    return Party(UUID(bytes=hashlib.sha256(encoded).digest()[:16]), msgspec.Raw(encoded))
