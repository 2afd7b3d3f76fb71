"""How does the sandbox answer, and what becomes of what it is asked?"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime, timedelta

from billwright.features.payment_providers.model import (
    AttemptState,
    Decline,
    DisputeState,
)
from billwright.features.payment_providers.port import (
    CHECKOUT_EXPIRED,
    CallbackEvent,
    Capability,
    Checkout,
    CheckoutRequest,
    CollectRequest,
    Dispute,
    ListedPayment,
    ListedRefund,
    OutcomeUnknown,
    PaymentProvider,
    PlayedPage,
    ProviderAnswer,
    ProviderUnavailable,
    RefundRequest,
    SetupRequest,
    SignedCallback,
)
from billwright.kernel.money import Money
from billwright.providers.payment.sandbox.answers import (
    answer_of,
    card_of,
    checkout_of,
    dispute_of,
    left_of,
    listed_payment,
    listed_refund,
    set_declined,
)
from billwright.providers.payment.sandbox.behaviors import (
    DECLINES,
    Behavior,
    behavior_of,
    is_magic,
)
from billwright.providers.payment.sandbox.cards import CARDS, DEFAULT_CARD
from billwright.providers.payment.sandbox.events import (
    dispute_reference,
    event_body,
    event_id_of,
    read_body,
)
from billwright.providers.payment.sandbox.ledger import Books, Entry, Ledger
from billwright.providers.payment.sandbox.returns import dispute_about, refund_made_there
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
                return answer_of(known)
            behavior = behavior_of(request.amount, request.saved_method)
            lost = behavior is Behavior.TIMEOUT_BEFORE and books.happens_first(
                f"timed_out:{request.provider_key}"
            )
            if not lost and behavior is not Behavior.UNAVAILABLE:
                entry = self._added(
                    books, request, kind="payment", amount=request.amount, behavior=behavior
                )
                method = request.saved_method
                if method is not None and books.has_happened(f"detached:{method.reference}"):
                    set_declined(entry, because=("payment_method_detached", Decline.HARD))
                    self._tell(books, entry)
                    return answer_of(entry)
                self._decide(books, entry)
        if behavior is Behavior.UNAVAILABLE:
            raise ProviderUnavailable("sandbox")
        if lost:
            raise OutcomeUnknown("sandbox: nothing was done")
        if behavior is Behavior.TIMEOUT_AFTER:
            raise OutcomeUnknown("sandbox: it was done")
        return answer_of(entry)

    async def find(self, provider_key: str) -> ProviderAnswer | None:
        with self.ledger.held() as books:
            entry = self._settled(books, books.by_key(provider_key))
            return None if entry is None or entry.kind == "refund" else answer_of(entry)

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
            return checkout_of(entry)

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
            return checkout_of(entry)

    async def detach(self, reference: str) -> None:
        # A magic one is everybody's, and goes on doing what it is there for.
        if not is_magic(reference):
            with self.ledger.held() as books:
                books.happens_first(f"detached:{reference}")

    async def refund(self, request: RefundRequest) -> ProviderAnswer:
        with self.ledger.held() as books:
            known = books.by_key(request.provider_key)
            if known is not None:
                return answer_of(known)
            payment = self._settled(books, books.by_reference(request.payment_reference))
            entry = self._added(
                books, request, kind="refund", amount=request.amount, behavior=Behavior.PAID
            )
            entry.payment_reference = request.payment_reference
            if payment is None or left_of(payment) < request.amount.amount_minor:
                set_declined(entry, because=("amount_above_payment", Decline.HARD))
            else:
                payment.refunded_minor += request.amount.amount_minor
                entry.state = AttemptState.SUCCEEDED
            self._tell(books, entry)
            return answer_of(entry)

    async def find_refund(self, provider_key: str) -> ProviderAnswer | None:
        with self.ledger.held() as books:
            entry = books.by_key(provider_key)
            return answer_of(entry) if entry is not None and entry.kind == "refund" else None

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
            return None if entry is None or entry.kind == "dispute" else answer_of(entry)

    async def list_payments(
        self, *, since: datetime, until: datetime
    ) -> AsyncIterator[ListedPayment]:
        async for entry in self._made("payment", since=since, until=until):
            yield listed_payment(entry)

    async def list_refunds(
        self, *, since: datetime, until: datetime
    ) -> AsyncIterator[ListedRefund]:
        async for entry in self._made("refund", since=since, until=until):
            yield listed_refund(entry)

    async def list_disputes(self, *, since: datetime, until: datetime) -> AsyncIterator[Dispute]:
        async for entry in self._made("dispute", since=since, until=until):
            yield dispute_of(entry)

    async def find_dispute(self, reference: str) -> Dispute | None:
        with self.ledger.held() as books:
            entry = books.by_reference(reference)
            return dispute_of(entry) if entry is not None and entry.kind == "dispute" else None

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
                cards=CARDS if entry.saves_method else {},
            )

    def complete(self, reference: str, *, card: str = "") -> None:
        """Be the payer who does what a page asks for, and leaves a card where it is to be kept; a page
        that has ended does nothing more.
        """
        with self.ledger.held() as books:
            entry = self._settled(books, books.by_reference(reference))
            if entry is None or entry.state is not AttemptState.REQUIRES_ACTION:
                return
            if entry.saves_method:
                entry.card = card if card in CARDS else DEFAULT_CARD
                entry.saved_method = card_of(entry)
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
                self._dispute(books, entry, state=state)

    def give_back(self, reference: str, amount: Money) -> str:
        """Be the person who refunds a payment on the sandbox's own pages; what the refund is called."""
        with self.ledger.held() as books:
            payment = books.by_reference(reference)
            if payment is None or left_of(payment) < amount.amount_minor:
                raise LookupError(f"{reference} has not as much left as {amount}")
            entry = books.add(refund_made_there(payment, amount, now=self._now()))
            payment.refunded_minor += amount.amount_minor
            self._tell(books, entry)
            return entry.reference

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
            set_declined(entry, because=DECLINES[chosen])
        else:
            entry.state = AttemptState.SUCCEEDED
            if chosen is Behavior.WRONG_AMOUNT and entry.amount is not None:
                entry.amount = Money(entry.amount.amount_minor - 1, entry.amount.currency)
        self._tell(books, entry)
        if chosen is Behavior.DISPUTED:
            self._dispute(books, entry, state=DisputeState.OPEN)

    def _dispute(self, books: Books, payment: Entry, *, state: DisputeState) -> None:
        known = books.by_reference(dispute_reference(payment.reference))
        entry = known or books.add(dispute_about(payment, now=self._now()))
        entry.dispute = state
        self._tell(books, payment, dispute=state)

    async def _made(self, kind: str, *, since: datetime, until: datetime) -> AsyncIterator[Entry]:
        """Everything of a kind that was made in a time, page by page."""
        after = ""
        while True:
            with self.ledger.held() as books:
                page = books.made(kind, since=since, until=until, after=after)
                for entry in page:
                    self._settled(books, entry)
            for entry in page:
                yield entry
            if not page:
                return
            after = page[-1].reference

    def _settled(self, books: Books, entry: Entry | None) -> Entry | None:
        """The entry, once what time does to it is done."""
        if entry is None:
            return None
        now = self._now()
        if entry.decided_at is not None and now >= entry.decided_at:
            entry.decided_at = None
            if entry.behavior is Behavior.SLOW_DECLINED:
                set_declined(entry, because=DECLINES[entry.behavior])
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
        set_declined(entry, because=(CHECKOUT_EXPIRED if is_page else "abandoned", Decline.SOFT))
        self._tell(books, entry)

    def _tell(self, books: Books, entry: Entry, *, dispute: DisputeState | None = None) -> None:
        # Of a name that no other ledger gives, since the receiver remembers what it has seen.
        event_id = f"sandbox_event_{secrets.token_hex(8)}"
        books.tell(event_body(entry, event_id=event_id, now=self._now(), dispute=dispute))
