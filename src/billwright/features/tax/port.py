"""What does tax ask of the register of VAT ids?"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from billwright.features.tax.model import VatId


class VatIdAnswer(StrEnum):
    VALID = "valid"
    INVALID = "invalid"
    UNAVAILABLE = "unavailable"


class VatIdRegister(Protocol):
    @property
    def name(self) -> str:
        """The source that is stored with its answers."""
        ...

    async def check(self, vat_id: VatId) -> VatIdAnswer:
        """Whether the id is registered now; `vat_id` is one of a member state's.

        `INVALID` is only an answer of the register. Whatever keeps it from answering, such as an
        outage, a limit or an answer that cannot be read, is `UNAVAILABLE`; nothing is raised.
        """
        ...
