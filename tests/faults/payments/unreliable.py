"""What does a provider do when everything that can go wrong with it does?

It keeps a ledger of the money that really moved, which the books are compared with in the end. What it
decides of a payment (`Fate`), and what goes wrong with a request (`Fault`), is told to it beforehand, in
the order in which requests come.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from billwright.features.payment_providers.model import (
    AttemptState,
    Decline,
    DisputeState,
    EventKind,
)
from billwright.features.payment_providers.port import (
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
    ProviderAnswer,
    ProviderUnavailable,
    RefundRequest,
    SetupRequest,
)
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.providers.payment.sandbox.signing import require_signed, signed_headers
from tests.faults.payments.fates import Delivery, Entry, Fate, Fault, card_of

_SECRET = "whsec_of_the_unreliable_one"
_MOVES_AFTER = timedelta(days=3)


@dataclass(slots=True)
class UnreliableProvider(PaymentProvider):
    """Everything that a provider offers, and everything that one does to those who rely on it."""

    now: Callable[[], datetime]
    fates: deque[Fate] = field(default_factory=deque)
    faults: deque[Fault | None] = field(default_factory=deque)
    entries: dict[str, Entry] = field(default_factory=dict)
    by_key: dict[str, Entry] = field(default_factory=dict)
    deliveries: list[Delivery] = field(default_factory=list)
    events: int = 0
    detached: set[str] = field(default_factory=set)
    charged_after_all: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return "unreliable"

    @property
    def capabilities(self) -> frozenset[Capability]:
        return frozenset(Capability)

    @property
    def remembers_keys_for(self) -> timedelta | None:
        return timedelta(hours=24)

    async def collect(self, request: CollectRequest) -> ProviderAnswer:
        fault = self._fault()
        method = request.saved_method
        if method is not None and method.reference in self.detached:
            self.charged_after_all.append(method.reference)
        entry = self._once(request.provider_key) or self._add(
            "payment", request.provider_key, request.tenant_id, request.amount
        )
        if entry.state is AttemptState.CREATED:
            self._decide(entry, entry.fate)
        return self._answered(entry, fault)

    async def find(self, provider_key: str) -> ProviderAnswer | None:
        self._ask()
        entry = self._once(provider_key)
        return None if entry is None or entry.kind == "refund" else self._answer(entry)

    async def open_checkout(self, request: CheckoutRequest) -> Checkout:
        fault = self._fault()
        entry = self._once(request.provider_key)
        if entry is None:
            entry = self._add("payment", request.provider_key, request.tenant_id, request.amount)
            entry.state, entry.expires_at = AttemptState.REQUIRES_ACTION, request.expires_at
            entry.saves = request.saves_method
        if fault is not None:
            raise OutcomeUnknown("no answer")
        return self._page(entry)

    async def withdraw(self, reference: str) -> bool:
        self._ask()
        entry = self._moved(self.entries[reference])
        if entry.state in {AttemptState.SUCCEEDED, AttemptState.PROCESSING}:
            return False
        if entry.state is AttemptState.REQUIRES_ACTION:
            self._end(entry, code="withdrawn")
        return True

    async def open_setup(self, request: SetupRequest) -> Checkout:
        fault = self._fault()
        entry = self._once(request.provider_key)
        if entry is None:
            nothing = Money(0, request.currency)
            entry = self._add("setup", request.provider_key, request.tenant_id, nothing)
            entry.state = AttemptState.REQUIRES_ACTION
            entry.expires_at, entry.saves = self.now() + timedelta(hours=24), True
        if fault is not None:
            raise OutcomeUnknown("no answer")
        return self._page(entry)

    async def refund(self, request: RefundRequest) -> ProviderAnswer:
        fault = self._fault()
        entry = self._once(request.provider_key)
        if entry is None:
            entry = self._add("refund", request.provider_key, request.tenant_id, request.amount)
            entry.payment = request.payment_reference
            payment = self._moved(self.entries[request.payment_reference])
            left = payment.captured_minor - payment.refunded_minor
            if request.amount.amount_minor > left:
                self._end(entry, code="amount_above_payment")
            else:
                payment.refunded_minor += request.amount.amount_minor
                entry.state = AttemptState.SUCCEEDED
                entry.captured_minor = request.amount.amount_minor
            self._tell(entry)
        return self._answered(entry, fault)

    async def find_refund(self, provider_key: str) -> ProviderAnswer | None:
        self._ask()
        entry = self.by_key.get(provider_key)
        return self._answer(entry) if entry is not None and entry.kind == "refund" else None

    def read_callback(
        self, headers: Mapping[str, str], body: bytes, *, now: datetime
    ) -> CallbackEvent:
        require_signed(headers, body, secrets=[_SECRET], now=now)
        return self.read_event(body)

    def read_event(self, body: bytes) -> CallbackEvent:
        told = json.loads(body)
        common = {
            "event_id": told["id"],
            "created_at": datetime.fromisoformat(told["at"]),
            "type": told["kind"] + ".changed",
            "kind": EventKind(told["kind"]),
            "tenant_id": UUID(told["tenant_id"]) if told["tenant_id"] else None,
        }
        amount = Money(told["amount_minor"], currency_of(told["currency"]))
        if told["kind"] == "dispute":
            dispute = Dispute(
                reference=told["reference"],
                payment_reference=told["payment"],
                state=DisputeState(told["state"]),
                amount=amount,
                reason="fraudulent",
                respond_by=None,
            )
            return CallbackEvent(**common, reference=told["reference"], dispute=dispute)
        saved = told["saved"]
        answer = ProviderAnswer(
            AttemptState(told["state"]),
            told["reference"],
            told["code"],
            decline=Decline(told["decline"]) if told["decline"] else None,
            amount=amount if told["kind"] != "method" else None,
            saved_method=card_of(saved, told["key"]) if saved else None,
        )
        return CallbackEvent(
            **common, reference=told["reference"], provider_key=told["key"], answer=answer
        )

    async def look_up(self, reference: str) -> ProviderAnswer | None:
        self._ask()
        entry = self.entries.get(reference)
        return None if entry is None else self._answer(self._moved(entry))

    async def list_payments(
        self, *, since: datetime, until: datetime
    ) -> AsyncIterator[ListedPayment]:
        for entry in list(self.entries.values()):
            if entry.kind == "payment" and since <= entry.created_at < until:
                self._ask()
                yield ListedPayment(
                    reference=entry.reference,
                    provider_key=entry.key,
                    tenant_id=entry.tenant_id,
                    created_at=entry.created_at,
                    answer=self._answer(self._moved(entry)),
                )

    async def list_refunds(
        self, *, since: datetime, until: datetime
    ) -> AsyncIterator[ListedRefund]:
        for entry in list(self.entries.values()):
            if entry.kind == "refund" and since <= entry.created_at < until:
                self._ask()
                yield ListedRefund(
                    reference=entry.reference,
                    provider_key=entry.key,
                    tenant_id=entry.tenant_id,
                    payment_reference=entry.payment,
                    answer=self._answer(entry),
                )

    async def list_disputes(self, *, since: datetime, until: datetime) -> AsyncIterator[Dispute]:
        for entry in list(self.entries.values()):
            if entry.disputed is not None and since <= entry.created_at < until:
                self._ask()
                yield entry.disputed

    async def find_dispute(self, reference: str) -> Dispute | None:
        self._ask()
        return self.entries[reference.removeprefix("dispute_")].disputed

    async def detach(self, reference: str) -> None:
        self._ask()
        self.detached.add(reference)

    def act(self, *, pays: bool) -> None:
        """Be the payer of everything that waits for one."""
        for entry in list(self.entries.values()):
            if self._moved(entry).state is not AttemptState.REQUIRES_ACTION:
                continue
            if not pays:
                self._end(entry, code="left")
            elif entry.kind == "setup":
                entry.state, entry.saved = AttemptState.SUCCEEDED, card_of(entry.key, entry.key)
            else:
                if entry.saves:
                    entry.saved = card_of(entry.key, entry.key)
                self._capture(entry, entry.asked_minor)
            self._tell(entry)

    def dispute(self, state: DisputeState) -> None:
        """Be the bank, about every payment that came."""
        for entry in self.entries.values():
            if entry.kind != "payment" or not entry.captured_minor:
                continue
            if entry.dispute in {DisputeState.WON, DisputeState.LOST, state}:
                continue
            entry.dispute = state
            if state is DisputeState.LOST:
                entry.lost_minor = entry.captured_minor
            self._send("dispute", entry, reference=f"dispute_{entry.reference}", state=state)

    def take_deliveries(self) -> list[Delivery]:
        """What has been told since the last time."""
        for entry in list(self.entries.values()):
            self._moved(entry)
        taken, self.deliveries = self.deliveries, []
        return taken

    def signed_again(self, delivery: Delivery) -> dict[str, str]:
        """What comes again, or late, is signed anew."""
        event_id = json.loads(delivery.body)["id"]
        return signed_headers(event_id, delivery.body, secret=_SECRET, now=self.now())

    def _once(self, key: str) -> Entry | None:
        entry = self.by_key.get(key)
        return None if entry is None else self._moved(entry)

    def _add(self, kind: str, key: str, tenant_id: UUID | None, amount: Money) -> Entry:
        entry = Entry(
            reference=f"{kind}_{len(self.entries) + 1}",
            key=key,
            kind=kind,
            tenant_id=tenant_id,
            fate=self.fates.popleft() if kind == "payment" and self.fates else Fate.PAID,
            state=AttemptState.CREATED,
            asked_minor=amount.amount_minor,
            currency=amount.currency.code,
            created_at=self.now(),
        )
        self.entries[entry.reference] = self.by_key[key] = entry
        return entry

    def _decide(self, entry: Entry, fate: Fate) -> None:
        match fate:
            case Fate.SOFT:
                self._end(entry, code="insufficient_funds")
            case Fate.HARD:
                self._end(entry, code="stolen_card", decline=Decline.HARD)
            case Fate.SLOW_PAID | Fate.SLOW_SOFT:
                entry.state = AttemptState.PROCESSING
                entry.moves_at = self.now() + _MOVES_AFTER
            case Fate.ACTION:
                entry.state = AttemptState.REQUIRES_ACTION
                entry.expires_at = self.now() + timedelta(days=30)
            case Fate.MORE:
                self._capture(entry, entry.asked_minor + 100)
            case Fate.LESS:
                self._capture(entry, max(entry.asked_minor - 100, 1))
            case _:
                self._capture(entry, entry.asked_minor)
        self._tell(entry)

    def _capture(self, entry: Entry, amount_minor: int) -> None:
        entry.state, entry.captured_minor = AttemptState.SUCCEEDED, amount_minor

    def _end(self, entry: Entry, *, code: str, decline: Decline = Decline.SOFT) -> None:
        entry.state, entry.code, entry.decline = AttemptState.DECLINED, code, decline
        entry.moves_at = None

    def _moved(self, entry: Entry) -> Entry:
        """The entry, once what time does to it is done."""
        if entry.moves_at is not None and self.now() >= entry.moves_at:
            entry.moves_at = None
            if entry.fate is Fate.SLOW_PAID:
                self._capture(entry, entry.asked_minor)
            else:
                self._end(entry, code="account_closed")
            self._tell(entry)
        waits = entry.state is AttemptState.REQUIRES_ACTION
        if waits and entry.expires_at is not None and self.now() >= entry.expires_at:
            self._end(entry, code="expired")
            self._tell(entry)
        return entry

    def _fault(self) -> Fault | None:
        """What goes wrong with a request that does something; raises where it does nothing."""
        fault = self.faults.popleft() if self.faults else None
        if fault is Fault.DOWN:
            raise ProviderUnavailable("down")
        if fault is Fault.LOST:
            raise OutcomeUnknown("lost")
        return fault

    def _ask(self) -> None:
        """What goes wrong with a request that only asks."""
        if self._fault() is not None:
            raise OutcomeUnknown("no answer")

    def _answered(self, entry: Entry, fault: Fault | None) -> ProviderAnswer:
        if fault is Fault.UNANSWERED:
            raise OutcomeUnknown("no answer")
        return self._answer(entry)

    def _answer(self, entry: Entry) -> ProviderAnswer:
        waits = entry.state is AttemptState.REQUIRES_ACTION
        moved = entry.captured_minor or entry.asked_minor
        return ProviderAnswer(
            entry.state,
            entry.reference,
            entry.code,
            action_url=f"https://pay.example/{entry.reference}" if waits else None,
            decline=entry.decline,
            amount=Money(moved, currency_of(entry.currency)) if entry.kind != "setup" else None,
            saved_method=entry.saved,
        )

    def _page(self, entry: Entry) -> Checkout:
        assert entry.expires_at is not None
        return Checkout(entry.reference, f"https://pay.example/{entry.reference}", entry.expires_at)

    def _tell(self, entry: Entry) -> None:
        kind = "method" if entry.kind == "setup" else entry.kind
        self._send(kind, entry, reference=entry.reference, state=entry.state)

    def _send(self, kind: str, entry: Entry, *, reference: str, state: StrEnum) -> None:
        self.events += 1
        event_id = f"event_{self.events}"
        body = json.dumps(
            {
                "id": event_id,
                "at": self.now().isoformat(),
                "kind": kind,
                "tenant_id": str(entry.tenant_id) if entry.tenant_id else None,
                "reference": reference,
                "payment": entry.reference,
                "key": entry.key,
                "state": state.value,
                "code": entry.code,
                "decline": entry.decline and entry.decline.value,
                "amount_minor": entry.captured_minor or entry.asked_minor,
                "currency": entry.currency,
                "saved": entry.saved and entry.saved.reference,
            }
        ).encode()
        self.deliveries.append(
            Delivery(signed_headers(event_id, body, secret=_SECRET, now=self.now()), body)
        )
