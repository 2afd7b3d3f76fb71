"""How does the sandbox answer, and what becomes of what it is asked?"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import date, datetime, timedelta

from billwright.features.payment_providers.model import (
    AttemptState,
    Decline,
    DisputeState,
    MethodKind,
)
from billwright.features.payment_providers.port import (
    CHECKOUT_EXPIRED,
    CallbackEvent,
    Capability,
    Checkout,
    CheckoutRequest,
    CollectRequest,
    ListedPayment,
    OutcomeUnknown,
    PaymentProvider,
    PlayedPage,
    ProviderAnswer,
    ProviderUnavailable,
    RefundRequest,
    SavedMethod,
    SetupRequest,
    SignedCallback,
)
from billwright.kernel.money import Money
from billwright.providers.payment.sandbox.behaviors import DECLINES, Behavior, behavior_of
from billwright.providers.payment.sandbox.events import event_body, event_id_of, read_body
from billwright.providers.payment.sandbox.ledger import Books, Entry, Ledger
from billwright.providers.payment.sandbox.signing import require_signed, signed_headers

SETTLES_AFTER = timedelta(minutes=1)
_SETUP_OPEN_FOR = timedelta(hours=24)


class SandboxProvider(PaymentProvider):
    """Everything that a provider can do, in its ledger and by the clock that is passed in.

    A test or a demo plays the payer with `complete` and `abandon`, and delivers what `take_callbacks`
    hands out. The first of `callback_secrets` signs, all of them are accepted; without any, the secret
    of the ledger does.
    """

    name = "sandbox"
    capabilities = frozenset(Capability)
    remembers_keys_for: timedelta | None = None

    def __init__(
        self,
        now: Callable[[], datetime],
        *,
        callback_secrets: Sequence[str] = (),
        ledger: Ledger | None = None,
        pages_url: str = "https://sandbox.invalid",
    ) -> None:
        self._now = now
        self._secrets = tuple(callback_secrets)
        self._pages_url = pages_url
        self.ledger = ledger or Ledger()

    async def collect(self, request: CollectRequest) -> ProviderAnswer:
        with self.ledger.held() as books:
            known = self._settled(books, books.by_key(request.provider_key))
            if known is not None:
                return _answer(known)
            behavior = behavior_of(request.amount, request.saved_method)
            lost = behavior is Behavior.TIMEOUT_BEFORE and books.happens_first(
                f"timed_out:{request.provider_key}"
            )
            if not lost and behavior is not Behavior.UNAVAILABLE:
                entry = self._added(
                    books, request, kind="payment", amount=request.amount, behavior=behavior
                )
                self._decide(books, entry)
        if behavior is Behavior.UNAVAILABLE:
            raise ProviderUnavailable("sandbox")
        if lost:
            raise OutcomeUnknown("sandbox: nothing was done")
        if behavior is Behavior.TIMEOUT_AFTER:
            raise OutcomeUnknown("sandbox: it was done")
        return _answer(entry)

    async def find(self, provider_key: str) -> ProviderAnswer | None:
        with self.ledger.held() as books:
            entry = self._settled(books, books.by_key(provider_key))
            return None if entry is None or entry.kind == "refund" else _answer(entry)

    async def open_checkout(self, request: CheckoutRequest) -> Checkout:
        with self.ledger.held() as books:
            entry = books.by_key(request.provider_key)
            if entry is None:
                behavior = behavior_of(request.amount, None)
                entry = self._added(
                    books, request, kind="payment", amount=request.amount, behavior=behavior
                )
                entry.saves_method = request.saves_method
                self._open_page(entry, request, expires_at=request.expires_at)
            return _page(entry)

    async def withdraw(self, reference: str) -> bool:
        with self.ledger.held() as books:
            entry = self._settled(books, books.by_reference(reference))
            if entry is None:
                raise LookupError(f"there is nothing of the name {reference}")
            if entry.state is AttemptState.REQUIRES_ACTION:
                self._abandon(books, entry)
            return entry.state is AttemptState.DECLINED

    async def open_setup(self, request: SetupRequest) -> Checkout:
        with self.ledger.held() as books:
            entry = books.by_key(request.provider_key)
            if entry is None:
                entry = self._added(
                    books, request, kind="setup", amount=None, behavior=Behavior.PAID
                )
                entry.saves_method = True
                self._open_page(entry, request, expires_at=self._now() + _SETUP_OPEN_FOR)
            return _page(entry)

    async def refund(self, request: RefundRequest) -> ProviderAnswer:
        with self.ledger.held() as books:
            known = books.by_key(request.provider_key)
            if known is not None:
                return _answer(known)
            payment = self._settled(books, books.by_reference(request.payment_reference))
            entry = self._added(
                books, request, kind="refund", amount=request.amount, behavior=Behavior.PAID
            )
            entry.payment_reference = request.payment_reference
            if payment is None or _left_of(payment) < request.amount.amount_minor:
                _decline(entry, because=("amount_above_payment", Decline.HARD))
            else:
                payment.refunded_minor += request.amount.amount_minor
                entry.state = AttemptState.SUCCEEDED
            self._tell(books, entry)
            return _answer(entry)

    async def find_refund(self, provider_key: str) -> ProviderAnswer | None:
        with self.ledger.held() as books:
            entry = books.by_key(provider_key)
            return _answer(entry) if entry is not None and entry.kind == "refund" else None

    def read_callback(
        self, headers: Mapping[str, str], body: bytes, *, now: datetime
    ) -> CallbackEvent:
        with self.ledger.held() as books:
            accepted = self._secrets or (books.callback_secret(),)
        require_signed(headers, body, secrets=accepted, now=now)
        return read_body(body)

    def read_event(self, body: bytes) -> CallbackEvent:
        return read_body(body)

    async def look_up(self, reference: str) -> ProviderAnswer | None:
        with self.ledger.held() as books:
            entry = self._settled(books, books.by_reference(reference))
            return None if entry is None else _answer(entry)

    async def list_payments(
        self, *, since: datetime, until: datetime
    ) -> AsyncIterator[ListedPayment]:
        after = ""
        while True:
            with self.ledger.held() as books:
                page = books.payments(since=since, until=until, after=after)
                for entry in page:
                    self._settled(books, entry)
            for entry in page:
                yield _listed(entry)
            if not page:
                return
            after = page[-1].reference

    def page_of(self, reference: str) -> PlayedPage | None:
        """The page of an entry that has one, as time has left it."""
        with self.ledger.held() as books:
            entry = self._settled(books, books.by_reference(reference))
            if entry is None or entry.url is None:
                return None
            return PlayedPage(
                state=entry.state,
                amount=entry.amount,
                success_url=entry.success_url,
                cancel_url=entry.cancel_url,
            )

    def complete(self, reference: str) -> None:
        """Be the payer who does what a page asks for; a page that has ended does nothing more."""
        with self.ledger.held() as books:
            entry = self._settled(books, books.by_reference(reference))
            if entry is None or entry.state is not AttemptState.REQUIRES_ACTION:
                return
            if entry.saves_method:
                entry.saved_method = _card_of(entry)
            action_done = entry.behavior is Behavior.REQUIRES_ACTION
            self._decide(books, entry, behavior=Behavior.PAID if action_done else entry.behavior)

    def decline(self, reference: str) -> None:
        """Be the payer whose bank says no."""
        with self.ledger.held() as books:
            entry = self._settled(books, books.by_reference(reference))
            if entry is not None and entry.state is AttemptState.REQUIRES_ACTION:
                self._decide(books, entry, behavior=Behavior.DECLINED)

    def abandon(self, reference: str) -> None:
        """Be the payer who does not."""
        with self.ledger.held() as books:
            entry = books.by_reference(reference)
            if entry is not None and entry.state is AttemptState.REQUIRES_ACTION:
                self._abandon(books, entry)

    def dispute(self, reference: str, *, state: DisputeState = DisputeState.OPEN) -> None:
        """Be the bank that wants the money back, or has decided about it."""
        with self.ledger.held() as books:
            entry = books.by_reference(reference)
            if entry is not None and entry.state is AttemptState.SUCCEEDED:
                self._tell(books, entry, dispute=state)

    def take_callbacks(self) -> list[SignedCallback]:
        """What has happened since the last time, each as a signed request."""
        with self.ledger.held() as books:
            for entry in books.undecided():
                self._settled(books, entry)
            secret = self._secrets[0] if self._secrets else books.callback_secret()
            bodies = books.take_untold()
        return [
            SignedCallback(
                signed_headers(event_id_of(body), body, secret=secret, now=self._now()), body
            )
            for body in bodies
        ]

    def _added(
        self,
        books: Books,
        request: CollectRequest | CheckoutRequest | SetupRequest | RefundRequest,
        *,
        kind: str,
        amount: Money | None,
        behavior: Behavior,
    ) -> Entry:
        return books.add(
            Entry(
                reference=f"sandbox_{kind}_{secrets.token_hex(8)}",
                provider_key=request.provider_key,
                kind=kind,
                tenant_id=request.tenant_id,
                state=AttemptState.PROCESSING,
                behavior=behavior,
                created_at=self._now(),
                amount=amount,
            )
        )

    def _open_page(
        self, entry: Entry, request: CheckoutRequest | SetupRequest, *, expires_at: datetime
    ) -> None:
        entry.state = AttemptState.REQUIRES_ACTION
        entry.url = self._url_of(entry)
        entry.success_url, entry.cancel_url = request.success_url, request.cancel_url
        entry.expires_at = expires_at

    def _url_of(self, entry: Entry) -> str:
        return f"{self._pages_url}/{entry.reference}"

    def _decide(self, books: Books, entry: Entry, *, behavior: Behavior | None = None) -> None:
        chosen = behavior or entry.behavior
        if chosen is Behavior.REQUIRES_ACTION:
            entry.state = AttemptState.REQUIRES_ACTION
            entry.url = self._url_of(entry)
        elif chosen in {Behavior.SLOW, Behavior.SLOW_DECLINED}:
            entry.state = AttemptState.PROCESSING
            entry.decided_at = self._now() + SETTLES_AFTER
        elif chosen in DECLINES:
            _decline(entry, because=DECLINES[chosen])
        else:
            entry.state = AttemptState.SUCCEEDED
            if chosen is Behavior.WRONG_AMOUNT and entry.amount is not None:
                entry.amount = Money(entry.amount.amount_minor - 1, entry.amount.currency)
        self._tell(books, entry)
        if chosen is Behavior.DISPUTED:
            self._tell(books, entry, dispute=DisputeState.OPEN)

    def _settled(self, books: Books, entry: Entry | None) -> Entry | None:
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
            self._tell(books, entry)
        closed = entry.expires_at is not None and now >= entry.expires_at
        if closed and entry.state is AttemptState.REQUIRES_ACTION:
            self._abandon(books, entry)
        return entry

    def _abandon(self, books: Books, entry: Entry) -> None:
        # Only what a page is opened for ends with it; a confirmation may be asked for again.
        is_page = entry.expires_at is not None
        _decline(entry, because=(CHECKOUT_EXPIRED if is_page else "abandoned", Decline.SOFT))
        self._tell(books, entry)

    def _tell(self, books: Books, entry: Entry, *, dispute: DisputeState | None = None) -> None:
        # Of a name that no other ledger gives, since the receiver remembers what it has seen.
        event_id = f"sandbox_event_{secrets.token_hex(8)}"
        books.tell(event_body(entry, event_id=event_id, now=self._now(), dispute=dispute))


def _listed(entry: Entry) -> ListedPayment:
    return ListedPayment(
        reference=entry.reference,
        provider_key=entry.provider_key,
        tenant_id=entry.tenant_id,
        created_at=entry.created_at,
        answer=_answer(entry),
    )


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
