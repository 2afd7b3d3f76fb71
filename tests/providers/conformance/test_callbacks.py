"""Is a callback believed only when it was signed, and does it say the same however often it comes?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from billwright.features.payment_providers.model import AttemptState, EventKind
from billwright.features.payment_providers.port import CallbackInvalid
from tests.providers.conformance.rigs import (
    SECRETS,
    TENANT,
    rigs,
    to_check_out,
    to_collect,
    to_refund,
    to_set_up,
)


async def a_callback(rig, outcome: str = "paid"):
    """The body that tells of a payment, and the request that it came from."""
    request = to_collect(rig, outcome)
    await rig.provider.collect(request)
    return rig.happened()[-1], request


@rigs("callbacks")
@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        ("paid", AttemptState.SUCCEEDED),
        ("soft", AttemptState.DECLINED),
        ("slow", AttemptState.PROCESSING),
    ],
)
async def test_it_says_whose_payment_stands_how(rig, outcome, state):
    body, request = await a_callback(rig, outcome)
    headers = rig.sign(body, secret=SECRETS[0], at=rig.now)
    event = rig.provider.read_callback(headers, body, now=rig.now)
    assert (event.kind, event.provider_key) == (EventKind.PAYMENT, request.provider_key)
    assert event.tenant_id == TENANT
    found = await rig.provider.find(request.provider_key)
    assert event.answer is not None
    assert found is not None
    assert event.answer.state is found.state is state
    assert event.answer.decline is found.decline
    assert event.reference == found.provider_reference


@rigs("callbacks")
async def test_it_says_the_same_again_and_headers_in_any_case(rig):
    body, _ = await a_callback(rig)
    headers = rig.sign(body, secret=SECRETS[0], at=rig.now)
    lower = {name.lower(): value for name, value in headers.items()}
    later = rig.sign(body, secret=SECRETS[0], at=rig.now + timedelta(days=1))
    first = rig.provider.read_callback(headers, body, now=rig.now)
    assert rig.provider.read_callback(lower, body, now=rig.now) == first
    again = rig.provider.read_callback(later, body, now=rig.now + timedelta(days=1))
    assert again == first


@rigs("callbacks")
async def test_a_body_that_was_kept_says_the_same_without_its_signature(rig):
    body, _ = await a_callback(rig)
    headers = rig.sign(body, secret=SECRETS[0], at=rig.now)
    assert rig.provider.read_event(body) == rig.provider.read_callback(headers, body, now=rig.now)
    for no_event in (b"", b"[]", b"\xff", b"{}"):
        with pytest.raises(CallbackInvalid):
            rig.provider.read_event(no_event)


@rigs("callbacks", "checkout")
@pytest.mark.parametrize("saves_method", [True, False])
async def test_a_method_that_was_saved_is_told_of_or_asked_for(rig, saves_method):
    page = await rig.provider.open_checkout(to_check_out(rig, saves_method=saves_method))
    await rig.pay(page.reference)
    told = read_all(rig)
    questions = [event for event in told if event.leaves_question]
    assert bool(questions) is saves_method
    for question in questions:
        looked_up = await rig.provider.look_up(question.reference)
        assert looked_up is not None
        assert looked_up.saved_method is not None


@rigs("callbacks")
async def test_every_secret_in_use_is_accepted_and_no_other(rig):
    body, _ = await a_callback(rig)
    for secret in SECRETS:
        headers = rig.sign(body, secret=secret, at=rig.now)
        assert rig.provider.read_callback(headers, body, now=rig.now).event_id
    with pytest.raises(CallbackInvalid):
        rig.provider.read_callback(
            rig.sign(body, secret="whsec_other", at=rig.now), body, now=rig.now
        )


@rigs("callbacks")
async def test_a_body_that_was_altered_is_refused_and_not_repeated(rig):
    body, _ = await a_callback(rig)
    headers = rig.sign(body, secret=SECRETS[0], at=rig.now)
    for altered in (body.replace(b"4629", b"9999"), body + b" ", b"", b"\xff\xfe"):
        with pytest.raises(CallbackInvalid) as refusal:
            rig.provider.read_callback(headers, altered, now=rig.now)
        assert "9999" not in str(refusal.value)


@rigs("callbacks")
@pytest.mark.parametrize(
    ("seconds", "accepted"), [(299, True), (301, False), (-299, True), (-301, False)]
)
async def test_a_signature_is_good_for_five_minutes(rig, seconds, accepted):
    body, _ = await a_callback(rig)
    at = rig.now.replace(microsecond=0)
    headers = rig.sign(body, secret=SECRETS[0], at=at)
    now = at + timedelta(seconds=seconds)
    if accepted:
        assert rig.provider.read_callback(headers, body, now=now)
    else:
        with pytest.raises(CallbackInvalid):
            rig.provider.read_callback(headers, body, now=now)


@rigs("callbacks")
async def test_headers_that_are_missing_or_broken_are_refused(rig):
    body, _ = await a_callback(rig)
    headers = rig.sign(body, secret=SECRETS[0], at=rig.now)
    broken = [{}, dict.fromkeys(headers, ""), dict.fromkeys(headers, "t=x,v1=é")]
    for each in broken:
        with pytest.raises(CallbackInvalid):
            rig.provider.read_callback(each, body, now=rig.now)


@rigs("callbacks")
async def test_what_nobody_knows_is_no_error(rig):
    body = rig.unheard_of()
    headers = rig.sign(body, secret=SECRETS[0], at=rig.now)
    event = rig.provider.read_callback(headers, body, now=rig.now)
    assert (event.kind, event.answer) == (EventKind.OTHER, None)


@rigs("callbacks")
@pytest.mark.parametrize("body", [b"[]", b"null", b"{}", b'{"id": "e", "type": 1}'])
async def test_what_is_signed_and_no_event_is_refused(rig, body):
    headers = rig.sign(body, secret=SECRETS[0], at=rig.now)
    with pytest.raises(CallbackInvalid):
        rig.provider.read_callback(headers, body, now=rig.now)


@rigs("callbacks", "refund", "setup", "checkout")
async def test_refunds_methods_and_pages_are_told_of(rig):
    paid = await rig.provider.collect(to_collect(rig))
    rig.happened()
    refund = to_refund(paid.provider_reference, 100)
    given_back = await rig.provider.refund(refund)
    [told] = read_all(rig)
    assert (told.kind, told.provider_key) == (EventKind.REFUND, refund.provider_key)
    assert told.payment_reference == paid.provider_reference
    assert told.answer == given_back

    setup = to_set_up()
    page = await rig.provider.open_setup(setup)
    await rig.pay(page.reference)
    for told in read_all(rig):
        assert (told.kind, told.provider_key) == (EventKind.METHOD, setup.provider_key)
        looked_up = await rig.provider.look_up(told.reference)
        assert looked_up is not None
        assert looked_up.saved_method is not None

    checkout = to_check_out(rig)
    page = await rig.provider.open_checkout(checkout)
    await rig.pay(page.reference)
    told = read_all(rig)
    assert {event.provider_key for event in told} == {checkout.provider_key}
    assert {event.answer.state for event in told} == {AttemptState.SUCCEEDED}


def read_all(rig):
    events = []
    for body in rig.happened():
        headers = rig.sign(body, secret=SECRETS[0], at=rig.now)
        events.append(rig.provider.read_callback(headers, body, now=rig.now))
    assert events
    return events
