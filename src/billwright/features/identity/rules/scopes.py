"""What may a caller do with the scopes that it has?"""

from __future__ import annotations

from collections.abc import Collection

from billwright.features.identity.errors import scope_not_held
from billwright.features.identity.model import FULL_ACCESS, READ_ACCESS, SCOPES, Group, Right


def scope_for(group: Group, right: Right) -> str:
    """The scope that opens one right in one group, and nothing else."""
    return f"{group}:{right}"


def may(held: Collection[str], scope: str) -> bool:
    """Whether what is held includes a scope: writing includes reading, and `billing` every group."""
    enough = _ENOUGH_FOR.get(scope)
    return enough is not None and not enough.isdisjoint(held)


def check_given(scopes: Collection[str], *, held: Collection[str]) -> None:
    """Whoever gives scopes away holds them itself. Refuses: `scope_not_held`."""
    for scope in scopes:
        if not may(held, scope):
            raise scope_not_held(pointer="/scopes", scope=scope)


def _enough_for(scope: str) -> frozenset[str]:
    """The scopes each of which opens what this one opens."""
    group, _, right = scope.partition(":")
    wider = {READ_ACCESS, f"{group}:{Right.WRITE}"} if right == Right.READ else set()
    return frozenset({scope, FULL_ACCESS} | wider)


_ENOUGH_FOR = {scope: _enough_for(scope) for scope in SCOPES}
