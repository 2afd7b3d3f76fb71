"""What happens to payment methods?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from billwright.kernel.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethodAdded(Event):
    """An account has left a method; `label` is for people, such as "Visa •••• 4242"."""

    type: ClassVar[str] = "payment_method.added"
    subject_type: ClassVar[str] = "payment_method"

    provider: str
    kind: str
    label: str
    is_default: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethodChanged(Event):
    """It became the default, or the provider renewed what is known of it."""

    type: ClassVar[str] = "payment_method.changed"
    subject_type: ClassVar[str] = "payment_method"

    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethodRemoved(Event):
    """It is used no more."""

    type: ClassVar[str] = "payment_method.removed"
    subject_type: ClassVar[str] = "payment_method"

    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethodExpiring(Event):
    """The account's default method ends soon; `expires_on` is the last day on which it is good."""

    type: ClassVar[str] = "payment_method.expiring"
    subject_type: ClassVar[str] = "payment_method"

    label: str
    expires_on: date
