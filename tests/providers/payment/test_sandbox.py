"""Does the sandbox do what its documentation says, by method and by amount?"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.payment_providers.model import AttemptState, Decline, EventKind
from billwright.features.payment_providers.port import (
    CollectRequest,
    OutcomeUnknown,
    PaymentProviders,
    ProviderAnswer,
    ProviderUnavailable,
)
from billwright.features.payments.jobs import resolve_open_attempts
from billwright.features.payments.model import PaymentState
from billwright.features.payments.sql.reads import list_payments
from billwright.providers.payment.sandbox.behaviors import BY_LAST_DIGITS, Behavior, behavior_of
from billwright.providers.payment.sandbox.cards import CARDS
from billwright.providers.payment.sandbox.provider import SandboxProvider
from tests.features.payments.paying import (
    TOTAL,
    an_invoice,
    collect,
    invoice_now,
    pay,
    reserve,
    work_with,
)
from tests.providers.conformance.rigs import (
    SandboxRig,
    money,
    saved,
    to_check_out,
    to_collect,
    to_set_up,
)

ROOT = Path(__file__).parents[3]
README = ROOT / "src" / "billwright" / "providers" / "payment" / "sandbox" / "README.md"
DOCS = ROOT / "docs" / "payments.md"
UNANSWERED = {
    Behavior.UNAVAILABLE: ProviderUnavailable,
    Behavior.TIMEOUT_BEFORE: OutcomeUnknown,
    Behavior.TIMEOUT_AFTER: OutcomeUnknown,
}
SAID = {
    Behavior.PAID: (AttemptState.SUCCEEDED, None),
    Behavior.DECLINED: (AttemptState.DECLINED, Decline.SOFT),
    Behavior.INSUFFICIENT_FUNDS: (AttemptState.DECLINED, Decline.SOFT),
    Behavior.EXPIRED_CARD: (AttemptState.DECLINED, Decline.HARD),
    Behavior.REQUIRES_ACTION: (AttemptState.REQUIRES_ACTION, None),
    Behavior.SLOW: (AttemptState.PROCESSING, None),
    Behavior.SLOW_DECLINED: (AttemptState.PROCESSING, None),
    Behavior.DISPUTED: (AttemptState.SUCCEEDED, None),
    Behavior.WRONG_AMOUNT: (AttemptState.SUCCEEDED, None),
}


@pytest.fixture
def rig() -> SandboxRig:
    return SandboxRig()


def with_method(rig: SandboxRig, behavior: Behavior) -> CollectRequest:
    return to_collect(rig, saved_method=saved(f"sandbox_{behavior}"))


@pytest.mark.parametrize("behavior", SAID)
async def test_a_method_says_what_happens(rig, behavior):
    answer = await rig.provider.collect(with_method(rig, behavior))
    assert (answer.state, answer.decline) == SAID[behavior]
    assert bool(answer.action_url) is (answer.state is AttemptState.REQUIRES_ACTION)


@pytest.mark.parametrize("behavior", UNANSWERED)
async def test_some_methods_get_no_answer(rig, behavior):
    request = with_method(rig, behavior)
    with pytest.raises(UNANSWERED[behavior]):
        await rig.provider.collect(request)
    found = await rig.provider.find(request.provider_key)
    assert (found is not None) is (behavior is Behavior.TIMEOUT_AFTER)
    assert rig.provider.ledger.moved_minor == (4629 if found else 0)


def test_the_last_digits_of_an_amount_say_it_too():
    assert set(BY_LAST_DIGITS.values()) == set(Behavior) - {Behavior.PAID}
    for digits, behavior in BY_LAST_DIGITS.items():
        for whole in (0, 1, 123):
            assert behavior_of(money(whole * 10_000 + digits), None) is behavior
    assert behavior_of(money(4001), saved("sandbox_paid")) is Behavior.PAID
    assert behavior_of(money(4001), saved("sandbox_card_1")) is Behavior.DECLINED


@given(amount_minor=st.integers(min_value=1, max_value=10**9))
def test_any_other_amount_is_paid(amount_minor):
    expected = BY_LAST_DIGITS.get(amount_minor % 10_000, Behavior.PAID)
    assert behavior_of(money(amount_minor), None) is expected
    assert (expected is Behavior.PAID) is not (4001 <= amount_minor % 10_000 <= 4011)


@pytest.mark.parametrize(
    ("behavior", "state"),
    [
        (Behavior.SLOW, AttemptState.SUCCEEDED),
        (Behavior.SLOW_DECLINED, AttemptState.DECLINED),
    ],
)
async def test_what_is_slow_is_decided_by_the_clock(rig, behavior, state):
    request = with_method(rig, behavior)
    await rig.provider.collect(request)
    rig.now += timedelta(seconds=59)
    waiting = await rig.provider.find(request.provider_key)
    assert waiting is not None
    assert waiting.state is AttemptState.PROCESSING
    rig.now += timedelta(seconds=1)
    assert len(rig.happened()) == 2
    decided = await rig.provider.find(request.provider_key)
    assert decided is not None
    assert decided.state is state


async def test_a_dispute_follows_its_payment(rig):
    await rig.provider.collect(with_method(rig, Behavior.DISPUTED))
    events = [
        rig.provider.read_callback(each.headers, each.body, now=rig.now)
        for each in rig.provider.take_callbacks()
    ]
    assert [event.kind for event in events] == [EventKind.PAYMENT, EventKind.DISPUTE]
    assert events[1].dispute is not None
    assert events[1].dispute.payment_reference == events[0].reference


async def test_a_wrong_amount_is_told_as_it_is(rig):
    answer = await rig.provider.collect(with_method(rig, Behavior.WRONG_AMOUNT))
    assert answer.amount == money(4628)


async def test_the_payer_acts_or_does_not(rig):
    for play, state in (
        (rig.provider.complete, AttemptState.SUCCEEDED),
        (rig.provider.abandon, AttemptState.DECLINED),
    ):
        answer = await rig.provider.collect(with_method(rig, Behavior.REQUIRES_ACTION))
        play(answer.provider_reference)
        play(answer.provider_reference)
        found = await rig.provider.look_up(answer.provider_reference)
        assert found is not None
        assert found.state is state


async def test_the_same_card_is_the_same_whoever_leaves_it(rig):
    found = []
    for key, card in {"a": "4242", "b": "", "c": "4444", "d": "1"}.items():
        page = await rig.provider.open_setup(replace(to_set_up(), provider_key=key))
        rig.provider.complete(page.reference, card=card)
        answer = await rig.provider.look_up(page.reference)
        found.append(answer.saved_method)
    assert len({one.reference for one in found}) == 4
    usual = ("Visa •••• 4242", "sandbox_4242")
    other = ("Mastercard •••• 4444", "sandbox_4444")
    assert [(one.label, one.fingerprint) for one in found] == [usual, usual, other, usual]


async def test_a_page_closes_by_the_clock(rig):
    page = await rig.provider.open_checkout(to_check_out(rig))
    rig.now = page.expires_at
    rig.provider.complete(page.reference)
    found = await rig.provider.look_up(page.reference)
    assert found is not None
    assert found.state is AttemptState.DECLINED
    assert rig.provider.ledger.moved_minor == 0


class OneMethod(SandboxProvider):
    """Charges the same method whatever it is asked, since the invoice of this test names none."""

    method = "sandbox_paid"

    async def collect(self, request: CollectRequest) -> ProviderAnswer:
        return await super().collect(
            to_collect(
                SandboxRig(),
                provider_key=request.provider_key,
                amount=request.amount,
                saved_method=saved(self.method),
            )
        )


@pytest.mark.parametrize(
    "behavior", [Behavior.TIMEOUT_BEFORE, Behavior.TIMEOUT_AFTER, Behavior.SLOW]
)
async def test_under_the_rules_of_payments_money_moves_once(tenant, clock, behavior):
    invoice = await an_invoice(tenant)
    provider = OneMethod(clock.now, callback_secrets=["secret"])
    provider.method = f"sandbox_{behavior}"
    providers = PaymentProviders({"sandbox": provider})
    attempt = await reserve(tenant, pay(invoice, provider="sandbox"), providers)
    first = await collect(tenant, attempt, providers)
    assert first.state is PaymentState.PENDING
    for minutes in (1, 5):
        clock.move_to(attempt.created_at + timedelta(minutes=minutes))
        await resolve_open_attempts(work_with(tenant, providers))
    async with tenant.tx() as tx:
        [payment] = await list_payments(tx, before=None, limit=10)
    assert payment.state is PaymentState.SUCCEEDED
    assert provider.ledger.moved_minor == TOTAL
    assert (await invoice_now(tenant, invoice)).due_minor == 0


async def test_two_at_once_are_one(rig):
    request = with_method(rig, Behavior.PAID)
    answers = await asyncio.gather(*(rig.provider.collect(request) for _ in range(5)))
    assert answers == answers[:1] * 5
    assert rig.provider.ledger.moved_minor == 4629


def test_the_documentation_lists_every_magic_value():
    readme, page = README.read_text(encoding="utf-8"), DOCS.read_text(encoding="utf-8")
    for digits, behavior in BY_LAST_DIGITS.items():
        amount = f"{digits // 100}.{digits % 100:02}"
        assert f"| `sandbox_{behavior}` | …{amount} |" in readme
        assert f"| `sandbox_{behavior}` | {amount} |" in page
    assert "`sandbox_paid`" in readme
    for name, label in CARDS.items():
        assert f"{name} ({label.partition(' •')[0]}" in " ".join(readme.split())


def test_its_clock_is_passed_in():
    at = datetime(2031, 1, 1, tzinfo=UTC)
    provider = SandboxProvider(lambda: at, callback_secrets=["secret"])
    asyncio.run(provider.collect(to_collect(SandboxRig())))
    with provider.ledger.held() as books:
        [entry] = books.made("payment", since=at, until=at + timedelta(seconds=1))
    assert entry.created_at == at
