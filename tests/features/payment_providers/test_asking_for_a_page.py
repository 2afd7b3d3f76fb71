"""Which provider opens a page, and where is its payer sent back to?"""

from __future__ import annotations

import pytest

from billwright.features.payment_providers.operations.choose_provider import choose_provider
from billwright.features.payment_providers.port import Capability, PaymentProviders
from billwright.features.payment_providers.rules.redirect_url import require_redirect_url
from billwright.kernel.refusal import Refusal
from billwright.providers.payment import discover
from billwright.providers.payment.sandbox.provider import SandboxProvider
from billwright.runtime.clock import FixedClock


@pytest.mark.parametrize(
    "url",
    [
        "http://app.example/",
        "https://",
        "https://user@app.example/",
        "https://app.example\\@elsewhere.example/",
        "https://app.example/a b",
        "https://app.example/\n",
        "http://localhost.example/",
        "http://127.0.0.1@elsewhere.example/",
        "javascript:alert(1)",
        "//app.example/",
        "https://app.example/" + "a" * 2000,
    ],
)
def test_a_payer_is_sent_back_to_no_doubtful_address(url: str):
    with pytest.raises(Refusal) as refusal:
        require_redirect_url(url, pointer="/success_url")
    assert refusal.value.code == "redirect_url_invalid"
    assert [problem.pointer for problem in refusal.value.problems] == ["/success_url"]


@pytest.mark.parametrize(
    "url",
    [
        "https://app.example",
        "https://app.example:8443/billing?saved=yes#top",
        "http://localhost:3000/?a=b",
        "http://127.0.0.1/x",
        "http://[::1]:8080/",
    ],
)
def test_a_payer_is_sent_back_where_they_came_from(url: str):
    require_redirect_url(url, pointer="/success_url")


def test_the_provider_of_a_page_is_named_or_the_only_one(clock: FixedClock):
    sandbox = SandboxProvider(clock.now, callback_secrets=["whsec_test"])
    only = PaymentProviders({**discover(), "sandbox": sandbox})
    several = PaymentProviders({**only, "second": sandbox})
    setup = Capability.SETUP
    assert choose_provider(only, named=None, capability=setup) is sandbox
    assert choose_provider(several, named="second", capability=setup) is sandbox
    for providers, named, code in (
        (discover(), None, "provider_missing"),
        (several, None, "provider_not_named"),
        (only, "manual", "provider_incapable"),
        (only, "nobody", "provider_unknown"),
    ):
        with pytest.raises(Refusal) as refusal:
            choose_provider(providers, named=named, capability=setup)
        assert refusal.value.code == code
        assert [problem.pointer for problem in refusal.value.problems] == ["/provider"]
