"""Is there never more than one override in force at a place?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given as for_any
from hypothesis import strategies as st

from billwright.features.entitlements.rules.superseding import superseded_by
from tests.features.entitlements.giving import BEGAN, an_override


def day(number):
    return BEGAN + timedelta(days=number)


def between(start, end=None):
    ends_at = None if end is None else day(end)
    return an_override("f", True, effective_at=day(start), expires_at=ends_at, ends_at=ends_at)


def in_force(overrides, at):
    return [
        one
        for one in overrides
        if one.effective_at <= at and (one.ends_at is None or one.ends_at > at)
    ]


def test_what_stands_ends_when_the_new_one_begins_and_does_not_come_back():
    standing, later, apart = between(0, 20), between(15), between(2, 5)
    ended = superseded_by(between(10, 30), [standing, later, apart])
    assert [(one.id, one.ends_at) for one in ended] == [
        (standing.id, day(10)),
        (later.id, day(15)),  # it was only to begin, and never does
    ]


def test_one_that_begins_where_the_new_one_ends_is_left_alone():
    assert superseded_by(between(10, 15), [between(0, 10), between(15)]) == []


spans = st.tuples(st.integers(0, 12), st.none() | st.integers(1, 8)).map(
    lambda span: between(span[0], None if span[1] is None else span[0] + span[1])
)


@for_any(st.lists(spans, max_size=8))
def test_at_most_one_is_in_force_at_any_instant_and_the_last_word_counts(asked):
    kept = []
    for one in asked:
        ended = {each.id: each for each in superseded_by(one, kept)}
        kept = [ended.get(each.id, each) for each in kept] + [one]
        for earlier in ended.values():
            assert replace(earlier, ends_at=None, superseded_by=None) in [
                replace(each, ends_at=None) for each in asked
            ]
    for number in range(25):
        now = in_force(kept, day(number))
        assert len(now) <= 1
        # The last that was asked for and covers the day is the one, unless a later one ended it.
        if asked and asked[-1] in in_force(asked, day(number)):
            assert now == [asked[-1]]
