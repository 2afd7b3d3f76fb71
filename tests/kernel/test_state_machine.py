"""Is every pair of state and action either allowed or refused by name?"""

from enum import StrEnum
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.kernel.refusal import Category, Refusal
from billwright.kernel.state_machine import StateMachine


class Door(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    LOCKED = "locked"
    BRICKED_UP = "bricked_up"


class Act(StrEnum):
    CLOSE = "close"
    OPEN = "open"
    LOCK = "lock"
    UNLOCK = "unlock"
    PAINT = "paint"


TRANSITIONS = {
    (Door.OPEN, Act.CLOSE): Door.CLOSED,
    (Door.CLOSED, Act.OPEN): Door.OPEN,
    (Door.CLOSED, Act.LOCK): Door.LOCKED,
    (Door.LOCKED, Act.UNLOCK): Door.CLOSED,
}
DOORS = StateMachine(TRANSITIONS)


@pytest.mark.parametrize(("state", "action"), list(product(Door, Act)))
def test_every_pair_is_allowed_or_refused(state, action):
    if (state, action) in TRANSITIONS:
        assert DOORS.allows(state, action)
        assert DOORS.next(state, action) is TRANSITIONS[state, action]
        return
    assert not DOORS.allows(state, action)
    with pytest.raises(Refusal) as refused:
        DOORS.next(state, action)
    assert (refused.value.code, refused.value.category) == ("state_forbids", Category.CONFLICT)
    assert refused.value.facts == {
        "state": state.value,
        "action": action.value,
        "allowed": [allowed.value for allowed in DOORS.actions(state)],
    }


def test_actions_come_in_their_declared_order():
    assert DOORS.actions(Door.CLOSED) == (Act.OPEN, Act.LOCK)
    assert DOORS.states == tuple(Door)
    assert DOORS.terminal_states == (Door.BRICKED_UP,)


def test_the_refusal_can_be_read():
    with pytest.raises(Refusal, match="The state 'open' does not allow 'lock'"):
        DOORS.next(Door.OPEN, Act.LOCK)


def test_the_table_shows_every_pair():
    assert DOORS.table() == (
        "| state | close | open | lock | unlock | paint |\n"
        "| --- | --- | --- | --- | --- | --- |\n"
        "| open | closed | - | - | - | - |\n"
        "| closed | - | open | locked | - | - |\n"
        "| locked | - | - | - | closed | - |\n"
        "| bricked_up | - | - | - | - | - |\n"
    )


def test_later_changes_of_the_given_table_have_no_effect():
    transitions = dict(TRANSITIONS)
    machine = StateMachine(transitions)
    transitions.clear()
    assert machine.allows(Door.OPEN, Act.CLOSE)


def test_a_machine_without_transitions_is_a_bug():
    with pytest.raises(ValueError, match="at least one"):
        StateMachine({})


@given(
    st.dictionaries(
        st.tuples(st.sampled_from(Door), st.sampled_from(Act)), st.sampled_from(Door), min_size=1
    )
)
def test_any_machine_says_the_same_in_all_its_answers(transitions):
    machine = StateMachine(transitions)
    allowed = {(state, action) for state in machine.states for action in machine.actions(state)}
    assert allowed == set(transitions)
    assert {pair: machine.next(*pair) for pair in allowed} == transitions
    assert set(machine.terminal_states) == set(Door) - {state for state, _ in transitions}
