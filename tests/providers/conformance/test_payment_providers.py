"""Does every payment provider keep the promises of the port?"""

from __future__ import annotations

import asyncio
from datetime import date
from uuid import uuid4

import pytest

from billwright.features.payments.model import AttemptState, PaymentMethod
from billwright.features.payments.port import CollectRequest, Payer, PaymentProvider
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.providers.payment import discover

ANSWERS = {
    AttemptState.SUCCEEDED,
    AttemptState.PROCESSING,
    AttemptState.REQUIRES_ACTION,
    AttemptState.DECLINED,
}


@pytest.fixture(params=sorted(discover()))
def provider(request: pytest.FixtureRequest) -> PaymentProvider:
    return discover()[request.param]


def a_request(currency: str = "EUR", amount_minor: int = 1234) -> CollectRequest:
    return CollectRequest(
        provider_key=f"attempt:{uuid4()}",
        amount=Money(amount_minor, currency_of(currency)),
        invoice_number="INV-2026-00001",
        payer=Payer(uuid4(), "Riverbank Books", "books@riverbank.example"),
        method=PaymentMethod.BANK_TRANSFER,
        reference="INV-2026-00001",
        received_on=date(2026, 1, 14),
    )


def test_manual_is_there():
    assert "manual" in discover()


def test_the_name_is_that_of_the_folder(provider):
    assert type(provider).__module__.split(".")[3] == provider.name


@pytest.mark.parametrize(
    ("currency", "amount_minor"), [("EUR", 1), ("JPY", 5000), ("KWD", 1234567)]
)
async def test_a_request_gets_an_answer_that_a_provider_may_give(provider, currency, amount_minor):
    answer = await provider.collect(a_request(currency, amount_minor))
    assert answer.state in ANSWERS


async def test_a_key_that_comes_again_gets_the_same_answer(provider):
    request = a_request()
    first = await provider.collect(request)
    again = await asyncio.gather(*(provider.collect(request) for _ in range(3)))
    assert [answer == first for answer in again] == [True] * 3


async def test_a_key_that_was_never_sent_is_not_found(provider):
    assert await provider.find(f"attempt:{uuid4()}") is None


async def test_what_is_found_is_what_was_answered(provider):
    request = a_request()
    answer = await provider.collect(request)
    assert await provider.find(request.provider_key) in {None, answer}
