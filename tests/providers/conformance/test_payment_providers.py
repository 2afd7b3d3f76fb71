"""Does every payment provider keep the promises of the port when it collects?"""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest

import billwright.providers.payment
from billwright.features.payment_providers.model import AttemptState, Decline
from billwright.features.payment_providers.port import Capability, CollectRequest, NotOffered
from billwright.providers.payment import discover
from billwright.runtime.settings import load_settings
from tests.providers.conformance.rigs import ABLE, money, new_key, rigs, to_collect, to_refund

ANSWERS = {
    AttemptState.SUCCEEDED,
    AttemptState.PROCESSING,
    AttemptState.REQUIRES_ACTION,
    AttemptState.DECLINED,
}
PRODUCTION = {"BILLWRIGHT_ENVIRONMENT": "production", "ENCRYPTION_KEY": "A" * 43 + "="}
STRIPE = {"STRIPE_SECRET_KEY": "sk_test_1", "STRIPE_WEBHOOK_SECRET": "whsec_1"}


@pytest.mark.parametrize(
    ("variables", "names"),
    [
        ({}, {"manual", "sandbox"}),
        (STRIPE, {"manual", "sandbox", "stripe"}),
        (PRODUCTION, {"manual"}),
        (PRODUCTION | STRIPE, {"manual", "stripe"}),
        (PRODUCTION | {"PAYMENT_SANDBOX": "true"}, {"manual", "sandbox"}),
        ({"PAYMENT_SANDBOX": "false"}, {"manual"}),
    ],
)
def test_the_settings_say_which_there_are(tmp_path, variables, names):
    found = discover(load_settings({"BILLWRIGHT_HOME": str(tmp_path), **variables}))
    assert found.keys() == names
    for name, provider in found.items():
        assert type(provider).__module__.split(".")[3] == provider.name == name


def test_without_settings_there_is_what_needs_none():
    assert discover().keys() == {"manual"}


def test_the_suite_asks_every_provider_that_there_is_a_folder_for():
    [place] = billwright.providers.payment.__path__
    folders = {folder.parent.name for folder in Path(place).glob("*/__init__.py")}
    assert folders == {name.partition("-")[0] for name in ABLE}


@rigs("keys")
async def test_what_is_declared_is_what_is_asked(rig):
    offered = {name for name in Capability if name in ABLE[rig.provider.name]}
    assert rig.provider.capabilities == offered
    if Capability.REFUND not in offered:
        with pytest.raises(NotOffered):
            await rig.provider.refund(to_refund("payment", 1))


@rigs("collect")
@pytest.mark.parametrize(
    ("currency", "amount_minor"), [("EUR", 1), ("JPY", 5000), ("KWD", 1234560), ("KWD", 1234567)]
)
async def test_an_amount_is_moved_exactly_or_not_at_all(rig, currency, amount_minor):
    asked = money(amount_minor, currency)
    answer = await rig.provider.collect(to_collect(rig, amount=asked))
    assert answer.state in ANSWERS
    if answer.state is AttemptState.DECLINED:
        assert (answer.failure_code, answer.decline) == ("amount_unsupported", Decline.HARD)
    else:
        assert answer.amount == asked


@rigs("keys")
async def test_a_key_that_comes_again_gets_the_same_answer(rig):
    request = to_collect(rig)
    first = await rig.provider.collect(request)
    again = await asyncio.gather(*(rig.provider.collect(request) for _ in range(3)))
    assert [answer == first for answer in again] == [True] * 3


@rigs("keys")
async def test_a_key_that_was_never_sent_is_not_found(rig):
    await rig.provider.collect(to_collect(rig))
    for key in (new_key(), f"attempt:{uuid4()}"):
        assert await rig.provider.find(key) is None


@rigs("keys")
async def test_what_is_found_is_what_was_answered(rig):
    request = to_collect(rig)
    answer = await rig.provider.collect(request)
    found = await rig.provider.find(request.provider_key)
    assert found is None or found.state is answer.state
    assert found is None or found.provider_reference == answer.provider_reference


@rigs("find")
@pytest.mark.parametrize("outcome", ["paid", "soft", "hard", "slow"])
async def test_every_outcome_is_found(rig, outcome):
    request = to_collect(rig, outcome)
    answer = await rig.provider.collect(request)
    found = await rig.provider.find(request.provider_key)
    assert found is not None
    assert (found.state, found.provider_reference) == (answer.state, answer.provider_reference)
    assert (found.failure_code, found.decline) == (answer.failure_code, answer.decline)


@rigs("outcomes")
@pytest.mark.parametrize(
    ("outcome", "state", "decline"),
    [
        ("paid", AttemptState.SUCCEEDED, None),
        ("slow", AttemptState.PROCESSING, None),
        ("soft", AttemptState.DECLINED, Decline.SOFT),
        ("hard", AttemptState.DECLINED, Decline.HARD),
    ],
)
async def test_what_a_bank_says(rig, outcome, state, decline):
    answer = await rig.provider.collect(to_collect(rig, outcome))
    assert (answer.state, answer.decline) == (state, decline)
    assert answer.provider_reference
    assert bool(answer.failure_code) is (state is AttemptState.DECLINED)


@rigs("outcomes")
async def test_a_payer_who_is_there_is_told_where_to_go(rig):
    request: CollectRequest = to_collect(
        rig, "action", on_session=True, return_url="https://seller.example/back"
    )
    answer = await rig.provider.collect(request)
    assert answer.state is AttemptState.REQUIRES_ACTION
    assert (answer.action_url or "").startswith("https://")
