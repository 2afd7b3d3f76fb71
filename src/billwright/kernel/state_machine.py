"""Which actions does a state allow, and what state follows?"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Generic, TypeVar

from billwright.kernel.refusal import Category, RefusalCode

state_forbids = RefusalCode(
    "state_forbids", Category.CONFLICT, "The state {state!r} does not allow {action!r}."
)

S = TypeVar("S", bound=StrEnum)
A = TypeVar("A", bound=StrEnum)


class StateMachine(Generic[S, A]):
    """The complete table of the transitions that exist; every other pair is refused by name.

    States and actions are all the members of their two enumerations, in the order declared there,
    so that a member without a transition is answered too.
    """

    def __init__(self, transitions: Mapping[tuple[S, A], S]) -> None:
        if not transitions:
            raise ValueError("a state machine has at least one transition")
        self._transitions = dict(transitions)
        some_state, some_action = next(iter(self._transitions))
        self.states: tuple[S, ...] = tuple(type(some_state))
        self.all_actions: tuple[A, ...] = tuple(type(some_action))

    def next(self, state: S, action: A) -> S:
        """The state that follows; refuses, naming the actions that the state does allow."""
        following = self._transitions.get((state, action))
        if following is None:
            allowed = [allowed.value for allowed in self.actions(state)]
            raise state_forbids(state=state.value, action=action.value, allowed=allowed)
        return following

    def allows(self, state: S, action: A) -> bool:
        return (state, action) in self._transitions

    def actions(self, state: S) -> tuple[A, ...]:
        """What can be done in this state."""
        return tuple(action for action in self.all_actions if self.allows(state, action))

    @property
    def terminal_states(self) -> tuple[S, ...]:
        """The states that nothing leaves."""
        return tuple(state for state in self.states if not self.actions(state))

    def table(self) -> str:
        """State by action as a Markdown table; a dash is a refusal."""
        header = ["state", *(action.value for action in self.all_actions)]
        rows = [
            [state.value, *(self._cell(state, action) for action in self.all_actions)]
            for state in self.states
        ]
        lines = [header, ["---"] * len(header), *rows]
        return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"

    def _cell(self, state: S, action: A) -> str:
        following = self._transitions.get((state, action))
        return following.value if following is not None else "-"
