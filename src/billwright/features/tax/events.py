"""What happens to tax data?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from billwright.kernel.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class VatIdChecked(Event):
    """What is known of an account's VAT id is something else than before."""

    type: ClassVar[str] = "vat_id.checked"
    subject_type: ClassVar[str] = "account"

    vat_id: str
    status: str
    source: str
