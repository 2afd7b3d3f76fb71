"""What is asked of whoever moves the money?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol, runtime_checkable
from uuid import UUID

from billwright.features.payment_providers.model import (
    AttemptState,
    Decline,
    DisputeState,
    EventKind,
    MethodKind,
    PaymentMethod,
)
from billwright.kernel.currency import Currency
from billwright.kernel.money import Money

LIMIT_SECONDS = 30
"""How long an answer is waited for: well below the minute after which the worker looks for the outcome,
so that the two never overlap.
"""

CALLBACK_TOLERANCE = timedelta(seconds=300)
"""How far the time in a callback's signature may be from ours."""


CHECKOUT_EXPIRED = "checkout_expired"
"""The failure code of a page that has ended, and on which nobody has paid."""


class ProviderUnavailable(Exception):  # noqa: N818 - it names the answer
    """The request was certainly not sent: no money can have moved because of it."""


class OutcomeUnknown(Exception):  # noqa: N818 - it names the answer
    """The request may have arrived, and nobody knows what became of it."""


class CallbackInvalid(Exception):  # noqa: N818 - it names the answer
    """Nobody whom we know has signed this body in the last minutes; the text says what is wrong and
    nothing of the body.
    """


class NotOffered(Exception):  # noqa: N818 - it names the mistake
    """A provider was asked for what it does not declare: a bug of the caller."""


class Capability(StrEnum):
    """What a provider can do; a method of a capability that it does not declare is never called."""

    COLLECT = "collect"
    CHECKOUT = "checkout"
    SETUP = "setup"
    REFUND = "refund"
    CALLBACKS = "callbacks"
    LISTING = "listing"


@dataclass(frozen=True, slots=True)
class Payer:
    """`reference` is what the provider calls this account, once it has told us."""

    account_id: UUID
    name: str
    email: str | None
    reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedMethod:
    """A way to pay that a payer has left with the provider, who keeps its numbers to itself.

    `label` is for people, such as "Visa •••• 4242"; `fingerprint` is the same for the same card or
    bank account whoever brings it; `expires_on` is the last day on which it is good.
    """

    reference: str
    kind: MethodKind
    label: str
    payer_reference: str | None = None
    expires_on: date | None = None
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectRequest:
    """What to collect; the same `provider_key` always comes with the same values.

    `on_session` says that the payer is there and can be sent to an `action_url`, from which they
    come back to `return_url`.
    """

    provider_key: str
    amount: Money
    invoice_number: str
    payer: Payer
    method: PaymentMethod
    reference: str
    received_on: date | None
    tenant_id: UUID | None = None
    saved_method: SavedMethod | None = None
    on_session: bool = False
    return_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutRequest:
    """A page of the provider on which the payer pays one invoice, until `expires_at`.

    `saves_method` keeps the method that they choose for later payments without them.
    """

    provider_key: str
    amount: Money
    invoice_number: str
    payer: Payer
    success_url: str
    cancel_url: str
    saves_method: bool
    expires_at: datetime
    tenant_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupRequest:
    """A page of the provider on which the payer leaves a method for payments in `currency`."""

    provider_key: str
    payer: Payer
    currency: Currency
    success_url: str
    cancel_url: str
    tenant_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequest:
    """`payment_reference` is the provider's reference of the payment that gives the money back."""

    provider_key: str
    payment_reference: str
    amount: Money
    reason: str
    tenant_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Checkout:
    """Where to send the payer; `reference` is the provider's for this page."""

    reference: str
    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ProviderAnswer:
    """`state` is succeeded, processing, requires_action or declined when a provider says it.

    `amount` is what was moved or is to be moved; where it is not what was asked for, that is the
    caller's to flag. `action_url` is where the payer has to go. `decline` comes with a declined
    state, `failure_code` with the provider's own word for it.
    """

    state: AttemptState
    provider_reference: str | None = None
    failure_code: str | None = None
    action_url: str | None = field(default=None, kw_only=True)
    decline: Decline | None = field(default=None, kw_only=True)
    amount: Money | None = field(default=None, kw_only=True)
    saved_method: SavedMethod | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """The payer's bank wants money back; `respond_by` is when evidence must be there."""

    reference: str
    payment_reference: str | None
    state: DisputeState
    amount: Money
    reason: str
    respond_by: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackEvent:
    """What a provider tells of its own accord, maybe twice and in any order.

    `event_id` is the same whenever the same event comes. `provider_key` and `tenant_id` are ours and
    there when the object carries them; `answer` is how the object stood when the event was made.
    Where `leaves_question` is set, `look_up` its `reference`: the event is silent about a method that
    was saved. `payment_reference` is the payment that a refund gives back.
    """

    event_id: str
    created_at: datetime
    type: str
    kind: EventKind
    reference: str | None = None
    provider_key: str | None = None
    tenant_id: UUID | None = None
    answer: ProviderAnswer | None = None
    dispute: Dispute | None = None
    method_removed: bool = False
    payment_reference: str | None = None
    leaves_question: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPayment:
    """A payment as the provider's own books have it."""

    reference: str
    provider_key: str | None
    tenant_id: UUID | None
    created_at: datetime
    answer: ProviderAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRefund:
    """A refund as the provider's own books have it; `payment_reference` is what it gives back."""

    reference: str
    provider_key: str | None
    tenant_id: UUID | None
    payment_reference: str | None
    answer: ProviderAnswer


class PaymentProvider(Protocol):
    """What every provider does is `collect` and `find`; the rest is there for those who declare it.

    Each call that asks for something raises `ProviderUnavailable` only when the request was certainly
    not sent, else `OutcomeUnknown`, and may be repeated under its key as long as
    `remembers_keys_for` says. Each call that only asks how things stand may raise either.
    """

    @property
    def name(self) -> str:
        """What payments call it; it is stored with them and never changes."""
        ...

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What this one offers."""
        ...

    @property
    def remembers_keys_for(self) -> timedelta | None:
        """How long a key that comes again moves no second money; none where that is for ever."""
        ...

    async def collect(self, request: CollectRequest) -> ProviderAnswer:
        """Collect the money, or say why not; a repeated key gets the first answer or a later one.

        An amount that the provider cannot move is declined for good, with `amount_unsupported`.
        """
        ...

    async def find(self, provider_key: str) -> ProviderAnswer | None:
        """What became of a request to collect or of a checkout; none when the provider certainly
        knows none of this key.
        """
        ...

    async def open_checkout(self, request: CheckoutRequest) -> Checkout:
        """Open a page to pay on; a repeated key gets the same page.

        Refuses: `amount_unsupported`, `checkout_refused`.
        """
        raise NotOffered(Capability.CHECKOUT)

    async def withdraw(self, reference: str) -> bool:
        """End for good what waits for its payer, a page or a payment that they have to confirm; also
        what has ended already. False when money has moved or may be on its way. Raises `LookupError`
        where there is nothing of this reference.
        """
        raise NotOffered(Capability.CHECKOUT)

    async def open_setup(self, request: SetupRequest) -> Checkout:
        """Open a page to leave a method on; a repeated key gets the same page.

        Refuses: `checkout_refused`.
        """
        raise NotOffered(Capability.SETUP)

    async def detach(self, reference: str) -> None:
        """Forget a saved method, which nobody can charge any more; also one that is gone already."""
        raise NotOffered(Capability.SETUP)

    async def refund(self, request: RefundRequest) -> ProviderAnswer:
        """Give money back, never more than is left of the payment: more than that is declined."""
        raise NotOffered(Capability.REFUND)

    async def find_refund(self, provider_key: str) -> ProviderAnswer | None:
        """What became of a refund; none when the provider certainly knows none of this key."""
        raise NotOffered(Capability.REFUND)

    def read_callback(
        self, headers: Mapping[str, str], body: bytes, *, now: datetime
    ) -> CallbackEvent:
        """What a callback says, once its signature over the very bytes is found to be right and made
        at most `CALLBACK_TOLERANCE` ago with any of the secrets in use; the case of header names does
        not matter. An event of an unknown type is no error. Raises `CallbackInvalid`.
        """
        raise NotOffered(Capability.CALLBACKS)

    def read_event(self, body: bytes) -> CallbackEvent:
        """What a body says whose signature was found to be right when it came, however long ago and by
        whichever secret. An event of an unknown type is no error. Raises `CallbackInvalid`.
        """
        raise NotOffered(Capability.CALLBACKS)

    async def look_up(self, reference: str) -> ProviderAnswer | None:
        """How a payment, checkout, setup or refund stands now, with the method that it saved; none
        when the provider has none of this reference.
        """
        raise NotOffered(Capability.CALLBACKS)

    def list_payments(self, *, since: datetime, until: datetime) -> AsyncIterator[ListedPayment]:
        """Every payment that was made from `since` to before `until`, ours or not, in bounded pages."""
        raise NotOffered(Capability.LISTING)

    def list_refunds(self, *, since: datetime, until: datetime) -> AsyncIterator[ListedRefund]:
        """Every refund that was made in that time, whoever made it. Whoever lists looks one up, too."""
        raise NotOffered(Capability.LISTING)

    def list_disputes(self, *, since: datetime, until: datetime) -> AsyncIterator[Dispute]:
        """Every dispute that was opened in that time."""
        raise NotOffered(Capability.LISTING)

    async def find_dispute(self, reference: str) -> Dispute | None:
        """How a dispute stands now; none when the provider has none of this reference."""
        raise NotOffered(Capability.LISTING)


class PaymentProviders(dict[str, PaymentProvider]):
    """The providers that were found at start, by name."""


@dataclass(frozen=True, slots=True)
class SignedCallback:
    """A request that a provider would send."""

    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedPage:
    """A page of a provider that only plays with money. `amount` is none where a method is left;
    the payer is sent on to the addresses, where there are any, once they are done or go away. `cards` are
    what they may leave, by name, where something is to be kept.
    """

    state: AttemptState
    amount: Money | None
    success_url: str | None
    cancel_url: str | None
    cards: Mapping[str, str] = field(default_factory=dict)


@runtime_checkable
class PlayedProvider(Protocol):
    """A provider that only plays with money: somebody has to play the payer, and to deliver what it
    tells. A page that has ended does nothing more.
    """

    def page_of(self, reference: str) -> PlayedPage | None:
        """The page of a payment or a setup; none when there is no such page."""
        ...

    def complete(self, reference: str, *, card: str = "") -> None:
        """Be the payer who does what the page asks for, with the card of that name or the usual one."""
        ...

    def decline(self, reference: str) -> None:
        """Be the payer whose bank says no."""
        ...

    def abandon(self, reference: str) -> None:
        """Be the payer who goes away."""
        ...

    def take_callbacks(self) -> list[SignedCallback]:
        """What has happened since the last time, each as a signed request."""
        ...
