"""What does payments ask of whoever moves the money?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol
from uuid import UUID

from billwright.features.payments.model import Attempt, AttemptState, PaymentMethod
from billwright.kernel.money import Money


class ProviderUnavailable(Exception):  # noqa: N818 - it names the answer
    """The request was certainly not sent: no money can have moved because of it."""


class OutcomeUnknown(Exception):  # noqa: N818 - it names the answer
    """The request may have arrived, and nobody knows what became of it."""


@dataclass(frozen=True, slots=True)
class Payer:
    account_id: UUID
    name: str
    email: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectRequest:
    """What to collect; the same `provider_key` always comes with the same values."""

    provider_key: str
    amount: Money
    invoice_number: str
    payer: Payer
    method: PaymentMethod
    reference: str
    received_on: date | None


@dataclass(frozen=True, slots=True)
class ProviderAnswer:
    """`state` is succeeded, processing, requires_action or declined when a provider says it."""

    state: AttemptState
    provider_reference: str | None = None
    failure_code: str | None = None


class PaymentProvider(Protocol):
    @property
    def name(self) -> str:
        """What payments call it; it is stored with them and never changes."""
        ...

    @property
    def remembers_keys_for(self) -> timedelta | None:
        """How long a key that comes again moves no second money; none where that is for ever."""
        ...

    async def collect(self, request: CollectRequest) -> ProviderAnswer:
        """Collect the money, or say why not; a repeated key gets the first answer or a later one.

        Raises `ProviderUnavailable` only when the request was certainly not sent, else
        `OutcomeUnknown`.
        """
        ...

    async def find(self, provider_key: str) -> ProviderAnswer | None:
        """What became of a request; none when the provider certainly knows none of this key."""
        ...


class PaymentProviders(dict[str, PaymentProvider]):
    """The providers that were found at start, by name."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """An attempt that is stored, and what its provider is to be asked."""

    attempt: Attempt
    request: CollectRequest
