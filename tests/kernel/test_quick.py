"""Is a value that is quickly made the same value?"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.kernel.quick import quickly_made, replaced


@dataclass(frozen=True, slots=True)
class Usual:
    first: int
    second: str = "two"
    third: list[int] = field(default_factory=list)
    fourth: int = field(default=4, kw_only=True)


@quickly_made
@dataclass(frozen=True, slots=True)
class Quick:
    first: int
    second: str = "two"
    third: list[int] = field(default_factory=list)
    fourth: int = field(default=4, kw_only=True)


VALUES = st.fixed_dictionaries(
    {"first": st.integers()},
    optional={
        "second": st.text(),
        "third": st.lists(st.integers()),
        "fourth": st.integers(),
    },
)


@given(VALUES)
def test_it_has_the_same_fields(values):
    assert repr(Quick(**values)) == repr(Usual(**values)).replace("Usual", "Quick")
    assert Quick(**values) == Quick(**values)


@given(VALUES, VALUES)
def test_its_fields_are_replaced_in_the_same_way(values, changes):
    before = Quick(**values)
    assert replaced(before, **changes) == replace(before, **changes) == Quick(**(values | changes))
    assert before == Quick(**values)


def test_positions_defaults_and_names_are_as_declared():
    assert Quick(1, "b", [3]) == Quick(first=1, second="b", third=[3], fourth=4)
    assert Quick(1).third is not Quick(1).third
    for wrong in ({}, {"first": 1, "fifth": 5}):
        with pytest.raises(TypeError):
            Quick(**wrong)
    with pytest.raises(TypeError):
        Quick(1, "b", [], 4)
    with pytest.raises(TypeError):
        replaced(Quick(1), fifth=5)


def test_one_that_checks_its_fields_is_not_made_without_the_check():
    @dataclass(frozen=True, slots=True)
    class Checked:
        value: int

        def __post_init__(self) -> None:
            raise ValueError

    with pytest.raises(TypeError, match="Checked"):
        quickly_made(Checked)
