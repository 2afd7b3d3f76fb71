"""How does a list's query hold only the conditions that were asked for?

A condition that is in the text only where it is wanted lets the database choose the index that serves
it; one that is switched off by a parameter (`$2 is null or ...`) has to be planned for both cases.
"""

from __future__ import annotations

from collections.abc import Mapping


class Conditions:
    """Conditions with their parameters; each is a text of the code with a placeholder for its value.

    `Conditions("a.tenant_id = {}", tx.tenant_id)` begins one; the tenant comes first, as in the indexes.
    """

    def __init__(self, condition: str, value: object) -> None:
        self.values: list[object] = []
        self._texts: list[str] = []
        self.add(condition, value)

    @property
    def sql(self) -> str:
        """All of them, for `where`."""
        return "\n    and ".join(self._texts)

    def add(self, condition: str, value: object) -> None:
        """Ask for what is said of a value; nothing is asked where there is none."""
        if value is not None:
            self._texts.append(condition.format(self.parameter(value)))

    def add_text(self, condition: str | None) -> None:
        """Ask for what needs no value."""
        if condition is not None:
            self._texts.append(condition)

    def add_entries(self, condition: str, entries: Mapping[str, str] | None) -> None:
        """Ask for each of some names with its value, in this order."""
        for name, value in (entries or {}).items():
            self._texts.append(condition.format(self.parameter(name), self.parameter(value)))

    def parameter(self, value: object) -> str:
        """The placeholder of one more value."""
        self.values.append(value)
        return f"${len(self.values)}"
