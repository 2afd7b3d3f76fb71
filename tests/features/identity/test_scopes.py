"""What does a scope open?"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from billwright.features.identity.model import FULL_ACCESS, READ_ACCESS, SCOPES
from billwright.features.identity.rules.scopes import check_given, may
from billwright.kernel.refusal import Refusal

SOME = st.sets(st.sampled_from(sorted(SCOPES)))
ONE = st.sampled_from(sorted(SCOPES))


def opened_by(*held: str) -> set[str]:
    return {scope for scope in SCOPES if may(held, scope)}


def test_each_scope_opens_what_its_name_says():
    reads = {scope for scope in SCOPES if scope.endswith(":read")}
    assert opened_by() == set()
    assert opened_by("usage:read") == {"usage:read"}
    assert opened_by("usage:write") == {"usage:read", "usage:write"}
    assert opened_by("usage:write", "events:read") == {"usage:read", "usage:write", "events:read"}
    assert opened_by(READ_ACCESS) == reads
    assert opened_by(FULL_ACCESS) == SCOPES


def test_the_set_is_closed():
    for unknown in ("events:write", "anything:read", "billing", "", ":write", "billing:write "):
        assert not may(SCOPES, unknown)


@given(SOME, ONE)
def test_more_scopes_never_open_less(held, another):
    assert opened_by(*held) | opened_by(another) == opened_by(*held, another)


@given(SOME, SOME)
def test_what_is_given_opens_nothing_that_the_giver_could_not(held, given):
    try:
        check_given(given, held=held)
    except Refusal:
        assert not given <= opened_by(*held)
    else:
        assert opened_by(*given) <= opened_by(*held)


def test_all_scopes_of_groups_together_are_less_than_everything():
    assert opened_by(*(SCOPES - {FULL_ACCESS})) == SCOPES - {FULL_ACCESS}
