"""How does the sandbox answer, and what becomes of what it is asked?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from billwright.features.payments.model import AttemptState, Decline
from billwright.features.payments.port import (
    CallbackEvent,
    Capability,
    Checkout,
    CheckoutRequest,
    CollectRequest,
    ListedPayment,
    MethodKind,
    OutcomeUnknown,
    PaymentProvider,
    ProviderAnswer,
    ProviderUnavailable,
    RefundRequest,
    SavedMethod,
    SetupRequest,
)
from billwright.kernel.money import Money
from billwright.providers.payment.sandbox.behaviors import DECLINES, Behavior, behavior_of
from billwright.providers.payment.sandbox.events import event_body, read_body
from billwright.providers.payment.sandbox.ledger import Entry, Ledger
from billwright.providers.payment.sandbox.signing import require_signed, signed_headers

SETTLES_AFTER = timedelta(minutes=1)
_PAGE_URL = "https://sandbox.invalid/"
_SETUP_OPEN_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Callback:
    """A request that a provider would send."""

    headers: dict[str, str]
    body: bytes


class SandboxProvider(PaymentProvider):
    """Everything that a provider can do, in memory and by the clock that is passed in.

    A test or a demo plays the payer with `complete` and `abandon`, and delivers what `take_callbacks`
    hands out. The first of `callback_secrets` signs, all of them are accepted.
    """

    name = "sandbox"
    capabilities = frozenset(Capability)
    remembers_keys_for: timedelta | None = None

    def __init__(self, now: Callable[[], datetime], *, callback_secrets: Sequence[str]) -> None:
        self._now = now
        self._secrets = tuple(callback_secrets)
        self._callbacks: list[Callback] = []
        self._events = 0
        self._timed_out: set[str] = set()
        self.ledger = Ledger()

    async def collect(self, request: CollectRequest) -> ProviderAnswer:
        known = self._settled(self.ledger.by_key.get(request.provider_key))
        if known is not None:
            return _answer(known)
        behavior = behavior_of(request.amount, request.saved_method)
        if behavior is Behavior.UNAVAILABLE:
            raise ProviderUnavailable("sandbox")
        if behavior is Behavior.TIMEOUT_BEFORE and request.provider_key not in self._timed_out:
            self._timed_out.add(request.provider_key)
            raise OutcomeUnknown("sandbox: nothing was done")
        entry = self._add("payment", request, amount=request.amount, behavior=behavior)
        self._decide(entry)
        if behavior is Behavior.TIMEOUT_AFTER:
            raise OutcomeUnknown("sandbox: it was done")
        return _answer(entry)

    async def find(self, provider_key: str) -> ProviderAnswer | None:
        entry = self._settled(self.ledger.by_key.get(provider_key))
        return None if entry is None or entry.kind == "refund" else _answer(entry)

    async def open_checkout(self, request: CheckoutRequest) -> Checkout:
        entry = self.ledger.by_key.get(request.provider_key)
        if entry is None:
            behavior = behavior_of(request.amount, None)
            entry = self._add("payment", request, amount=request.amount, behavior=behavior)
            entry.saves_method = request.saves_method
            self._open_page(entry, expires_at=request.expires_at)
        return _page(entry)

    async def expire_checkout(self, reference: str) -> bool:
        entry = self._settled(self.ledger.by_reference[reference])
        if entry is None or entry.state in {AttemptState.SUCCEEDED, AttemptState.PROCESSING}:
            return False
        if entry.state is AttemptState.REQUIRES_ACTION:
            self.abandon(reference)
        return True

    async def open_setup(self, request: SetupRequest) -> Checkout:
        entry = self.ledger.by_key.get(request.provider_key)
        if entry is None:
            entry = self._add("setup", request, amount=None, behavior=Behavior.PAID)
            entry.saves_method = True
            self._open_page(entry, expires_at=self._now() + _SETUP_OPEN_FOR)
        return _page(entry)

    async def refund(self, request: RefundRequest) -> ProviderAnswer:
        known = self.ledger.by_key.get(request.provider_key)
        if known is not None:
            return _answer(known)
        payment = self._settled(self.ledger.by_reference.get(request.payment_reference))
        entry = self._add("refund", request, amount=request.amount, behavior=Behavior.PAID)
        entry.payment_reference = request.payment_reference
        if payment is None or _left_of(payment) < request.amount.amount_minor:
            _decline(entry, because=("amount_above_payment", Decline.HARD))
        else:
            payment.refunded_minor += request.amount.amount_minor
            entry.state = AttemptState.SUCCEEDED
        self._tell(entry)
        return _answer(entry)

    async def find_refund(self, provider_key: str) -> ProviderAnswer | None:
        entry = self.ledger.by_key.get(provider_key)
        return _answer(entry) if entry is not None and entry.kind == "refund" else None

    def read_callback(
        self, headers: Mapping[str, str], body: bytes, *, now: datetime
    ) -> CallbackEvent:
        require_signed(headers, body, secrets=self._secrets, now=now)
        return read_body(body)

    async def look_up(self, reference: str) -> ProviderAnswer | None:
        entry = self._settled(self.ledger.by_reference.get(reference))
        return None if entry is None else _answer(entry)

    async def list_payments(
        self, *, since: datetime, until: datetime
    ) -> AsyncIterator[ListedPayment]:
        for entry in list(self.ledger.by_reference.values()):
            if entry.kind == "payment" and since <= entry.created_at < until:
                self._settled(entry)
                yield ListedPayment(
                    reference=entry.reference,
                    provider_key=entry.provider_key,
                    tenant_id=entry.tenant_id,
                    created_at=entry.created_at,
                    answer=_answer(entry),
                )

    def complete(self, reference: str) -> None:
        """Be the payer who does what a page asks for; a page that has ended does nothing more."""
        entry = self._settled(self.ledger.by_reference[reference])
        if entry is None or entry.state is not AttemptState.REQUIRES_ACTION:
            return
        if entry.saves_method:
            entry.saved_method = _card_of(entry)
        action_done = entry.behavior is Behavior.REQUIRES_ACTION
        self._decide(entry, behavior=Behavior.PAID if action_done else entry.behavior)

    def abandon(self, reference: str) -> None:
        """Be the payer who does not."""
        entry = self.ledger.by_reference[reference]
        if entry.state is AttemptState.REQUIRES_ACTION:
            _decline(entry, because=("abandoned", Decline.HARD))
            self._tell(entry)

    def take_callbacks(self) -> list[Callback]:
        """What has happened since the last time, each as a signed request."""
        for entry in list(self.ledger.by_reference.values()):
            self._settled(entry)
        taken, self._callbacks = self._callbacks, []
        return taken

    def _add(
        self,
        kind: str,
        request: CollectRequest | CheckoutRequest | SetupRequest | RefundRequest,
        *,
        amount: Money | None,
        behavior: Behavior,
    ) -> Entry:
        return self.ledger.add(
            Entry(
                reference=self.ledger.next_reference(kind),
                provider_key=request.provider_key,
                kind=kind,
                tenant_id=request.tenant_id,
                state=AttemptState.PROCESSING,
                behavior=behavior,
                created_at=self._now(),
                amount=amount,
            )
        )

    def _open_page(self, entry: Entry, *, expires_at: datetime) -> None:
        entry.state = AttemptState.REQUIRES_ACTION
        entry.url = _PAGE_URL + entry.reference
        entry.expires_at = expires_at

    def _decide(self, entry: Entry, *, behavior: Behavior | None = None) -> None:
        chosen = behavior or entry.behavior
        if chosen is Behavior.REQUIRES_ACTION:
            entry.state = AttemptState.REQUIRES_ACTION
            entry.url = _PAGE_URL + entry.reference
        elif chosen in {Behavior.SLOW, Behavior.SLOW_DECLINED}:
            entry.state = AttemptState.PROCESSING
            entry.decided_at = self._now() + SETTLES_AFTER
        elif chosen in DECLINES:
            _decline(entry, because=DECLINES[chosen])
        else:
            entry.state = AttemptState.SUCCEEDED
            if chosen is Behavior.WRONG_AMOUNT and entry.amount is not None:
                entry.amount = Money(entry.amount.amount_minor - 1, entry.amount.currency)
        self._tell(entry)
        if chosen is Behavior.DISPUTED:
            self._tell(entry, disputed=True)

    def _settled(self, entry: Entry | None) -> Entry | None:
        """The entry, once what time does to it is done."""
        if entry is None:
            return None
        now = self._now()
        if entry.decided_at is not None and now >= entry.decided_at:
            entry.decided_at = None
            if entry.behavior is Behavior.SLOW_DECLINED:
                _decline(entry, because=DECLINES[entry.behavior])
            else:
                entry.state = AttemptState.SUCCEEDED
            self._tell(entry)
        closed = entry.expires_at is not None and now >= entry.expires_at
        if closed and entry.state is AttemptState.REQUIRES_ACTION:
            self.abandon(entry.reference)
        return entry

    def _tell(self, entry: Entry, *, disputed: bool = False) -> None:
        self._events += 1
        event_id = f"sandbox_event_{self._events}"
        body = event_body(entry, event_id=event_id, now=self._now(), disputed=disputed)
        headers = signed_headers(event_id, body, secret=self._secrets[0], now=self._now())
        self._callbacks.append(Callback(headers, body))


def _decline(entry: Entry, *, because: tuple[str, Decline]) -> None:
    entry.state = AttemptState.DECLINED
    entry.failure_code, entry.decline = because


def _left_of(payment: Entry) -> int:
    if payment.state is not AttemptState.SUCCEEDED or payment.amount is None:
        return 0
    return payment.amount.amount_minor - payment.refunded_minor


def _answer(entry: Entry) -> ProviderAnswer:
    waits = entry.state is AttemptState.REQUIRES_ACTION
    return ProviderAnswer(
        entry.state,
        entry.reference,
        entry.failure_code,
        action_url=entry.url if waits else None,
        decline=entry.decline,
        amount=None if entry.state is AttemptState.DECLINED else entry.amount,
        saved_method=entry.saved_method,
    )


def _page(entry: Entry) -> Checkout:
    if entry.url is None or entry.expires_at is None:
        raise ValueError(f"{entry.provider_key} belongs to no page")
    return Checkout(entry.reference, entry.url, entry.expires_at)


def _card_of(entry: Entry) -> SavedMethod:
    return SavedMethod(
        reference=f"sandbox_card_{entry.reference}",
        kind=MethodKind.CARD,
        label="Visa •••• 4242",
        payer_reference=f"sandbox_payer_{entry.provider_key}",
        expires_on=date(2099, 12, 31),
        fingerprint="sandbox_4242",
    )
