"""Can nobody make a link but us, and does ours last?"""

from __future__ import annotations

import re
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from billwright.features.payment_providers.port import PaymentProviders
from billwright.features.payments.operations.pay_link import PayLinks, PayTarget, page_provider
from billwright.kernel.ids import TenantId
from billwright.providers.payment.manual import create_provider as manual
from billwright.providers.payment.sandbox.provider import SandboxProvider
from billwright.runtime.secrets import SecretBox
from tests.conftest import NOON

OLD, NEW = bytes(range(32)), bytes(range(1, 33))
LINKS = PayLinks("https://billing.example.com", SecretBox(OLD))
TARGET = PayTarget(
    TenantId(UUID("019b0c5e-8a51-7c2e-9f57-3a1f0c9d2b41")),
    UUID("019b0c5e-8a51-7c2e-9f57-3a1f0c9d2b42"),
)


def token_of(links: PayLinks, target: PayTarget = TARGET) -> str:
    return links.link_to(target).rpartition("/")[2]


@given(st.uuids(), st.uuids())
def test_a_link_leads_back_to_what_it_is_about(tenant_id, invoice_id):
    target = PayTarget(TenantId(tenant_id), invoice_id)
    link = LINKS.link_to(target)
    assert re.fullmatch(r"https://billing\.example\.com/pay/[A-Za-z0-9_-]{64}", link)
    assert LINKS.target_of(token_of(LINKS, target)) == target
    assert LINKS.link_to(target) == link


@given(st.integers(0, 383))
def test_no_bit_of_it_can_be_another(bit):
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    token = token_of(LINKS)
    place, digit = divmod(bit, 6)
    other = alphabet[alphabet.index(token[place]) ^ (1 << digit)]
    assert LINKS.target_of(token[:place] + other + token[place + 1 :]) is None


@given(st.text(max_size=100))
def test_whatever_else_stands_there_is_no_link(text):
    assert LINKS.target_of(text) is None


def test_a_link_of_a_retired_key_still_opens_and_one_of_a_stranger_does_not():
    renewed = PayLinks(LINKS.public_url, SecretBox(NEW, retired=[OLD]))
    stranger = PayLinks(LINKS.public_url, SecretBox(NEW))
    assert renewed.target_of(token_of(LINKS)) == TARGET
    assert token_of(renewed) == token_of(stranger) != token_of(LINKS)
    assert stranger.target_of(token_of(LINKS)) is None


class RealPages(SandboxProvider):
    """Another one with pages, whose name comes later."""

    name = "serious"
    page_of = None


def test_a_page_where_money_moves_comes_before_one_where_it_does_not():
    by_hand, sandbox, real = manual(None), SandboxProvider(lambda: NOON), RealPages(lambda: NOON)
    assert page_provider(PaymentProviders({"manual": by_hand})) is None
    both = PaymentProviders({"manual": by_hand, "sandbox": sandbox})
    assert page_provider(both) == "sandbox"
    assert page_provider(PaymentProviders({**both, "serious": real})) == "serious"
