"""Where do webhooks go, when again, and until when?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.webhooks.errors import (
    webhook_address_private,
    webhook_event_type_unknown,
    webhook_url_invalid,
)
from billwright.features.webhooks.model import DisabledReason, Health, TargetPolicy, WebhookAnswer
from billwright.features.webhooks.operations.event_types import event_types
from billwright.features.webhooks.rules.address import is_public
from billwright.features.webhooks.rules.health import disabled_by, health_after
from billwright.features.webhooks.rules.next_attempt import next_attempt_at
from billwright.features.webhooks.rules.subscribed import checked_types
from billwright.features.webhooks.rules.target import require_target
from billwright.kernel.id_bounds import first_id_at, made_at
from billwright.kernel.ids import new_id
from billwright.kernel.refusal import Refusal
from tools.catalogue import declared_events

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
OK, BAD = WebhookAnswer(duration_ms=1, status=200), WebhookAnswer(duration_ms=1, status=500)

PRIVATE = """0.0.0.0 10.0.0.1 100.64.0.1 100.100.100.200 127.0.0.1 127.8.9.1 168.63.129.16 169.254.169.254
    172.16.0.1 172.31.255.255 192.0.0.192 192.0.2.1 192.168.1.1 198.18.0.1 198.51.100.7 203.0.113.9
    224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255
    :: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.1.2.3 ::ffff:169.254.169.254 64:ff9b::a00:1
    64:ff9b:1::a00:1 2002:a00:1:: 2002:7f00:1:: 2001:db8::1 fc00::1 fd00:ec2::254 fe80::1 fe80::1%eth0
    fec0::1 ff02::1 not-an-address""".split()
PUBLIC = (
    "1.1.1.1 8.8.8.8 93.184.215.14 2606:4700:4700::1111 ::ffff:8.8.8.8 64:ff9b::808:808".split()
)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses(address: str):
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address: str):
    assert is_public(address)


@given(st.integers(0, 2**32 - 1))
def test_wrapped_addresses_are_what_they_wrap(number: int):
    plain = str(IPv4Address(number))
    mapped = str(IPv6Address((0xFFFF << 32) | number))
    translated = str(IPv6Address((0x64FF9B << 96) | number))
    assert is_public(plain) is is_public(mapped) is is_public(translated)


@pytest.mark.parametrize(
    "url",
    [
        "https://platform.example.com",
        "https://platform.example.com/hooks?key=1",
        "https://platform.example.com:443/",
        "https://platform.example.com:8443/",
        "https://8.8.8.8/",
        "https://[2606:4700:4700::1111]:8443/",
    ],
)
def test_targets(url: str):
    require_target(url, TargetPolicy())


@pytest.mark.parametrize(
    "url",
    [
        "http://platform.example.com/",
        "https://platform.example.com:25/",
        "https://platform.example.com:0/",
        "https://platform.example.com:65536/",
        "https://user:word@platform.example.com/",
        "https://platform.example.com@127.0.0.1/",
        "https://platform.example.com\\@127.0.0.1/",
        "https://platform.example.com/#part",
        "https://platform.example.com/with space",
        "https://platform.example.com/\r\nhost: x",
        "https:///path",
        "ftp://platform.example.com/",
        "https://büro.example/",
        "https://platform.example.com/" + "x" * 2000,
    ],
)
def test_urls_that_are_none_of_a_target(url: str):
    with pytest.raises(Refusal) as refused:
        require_target(url, TargetPolicy())
    assert refused.value.code == webhook_url_invalid.code
    assert refused.value.problems[0].pointer == "/url"


@pytest.mark.parametrize("url", ["https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1:8443/"])
def test_addresses_that_are_written_out_are_public(url: str):
    with pytest.raises(Refusal) as refused:
        require_target(url, TargetPolicy())
    assert refused.value.code == webhook_address_private.code
    require_target(url, TargetPolicy(unrestricted=True))
    require_target("http://127.0.0.1:80/", TargetPolicy(unrestricted=True))


@given(st.uuids(version=4), st.integers(1, 9), st.none() | st.integers(0, 10**9))
def test_pauses_are_about_those_of_the_schedule_and_never_shorter_than_wished(
    event_id, attempts, wished
):
    again_at = next_attempt_at(event_id, attempts=attempts, now=NOW, wished_seconds=wished)
    assert again_at is not None
    pause, own = again_at - NOW, next_attempt_at(event_id, attempts=attempts, now=NOW) - NOW
    assert pause == max(own, min(timedelta(seconds=wished or 0), timedelta(days=1)))
    assert next_attempt_at(event_id, attempts=10, now=NOW) is None


@given(st.lists(st.lists(st.sampled_from([OK, BAD]), min_size=1, max_size=5), max_size=30))
def test_health_is_about_what_came_since_the_last_success(batches):
    health, now, failed_since_success, since = Health(), NOW, 0, None
    for batch in batches:
        now += timedelta(hours=7)
        health = health_after(health, batch, now=now)
        if OK in batch:
            failed_since_success, since = 0, None
        else:
            failed_since_success += len(batch)
            since = since or now
        assert (health.failures, health.failing_since) == (failed_since_success, since)
        assert (health.rests_until is not None) == (failed_since_success >= 5)
        if health.rests_until is not None:
            assert timedelta(minutes=1) <= health.rests_until - now <= timedelta(minutes=15)
        too_long = since is not None and now - since >= timedelta(days=5)
        assert disabled_by(health, batch, now=now) == (DisabledReason.FAILING if too_long else None)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2500, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_ids_and_instants(instant: datetime):
    first = first_id_at(instant)
    assert timedelta() <= instant - made_at(first) < timedelta(milliseconds=1)
    assert first_id_at(instant + timedelta(milliseconds=1)) > first


def test_an_id_that_is_made_now_is_of_now():
    made = new_id()
    assert (
        first_id_at(made_at(made)) <= made < first_id_at(made_at(made) + timedelta(milliseconds=1))
    )


def test_types():
    known = event_types()
    assert list(known) == sorted({event.type for event in declared_events()})
    assert checked_types(["invoice.paid", "*"], known=known) == ("*",)
    assert checked_types(["invoice.paid"] * 2, known=known) == ("invoice.paid",)
    with pytest.raises(Refusal) as refused:
        checked_types(["invoice.paid", "comet.seen"], known=known)
    assert refused.value.code == webhook_event_type_unknown.code
    assert refused.value.problems[0].pointer == "/event_types/1"
