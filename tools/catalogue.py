"""Which refusals, events, states and settings does the product declare?

    python -m tools.catalogue

rewrites docs/errors.md, docs/events.md, docs/states.md and docs/configuration.md from the code.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from types import ModuleType

import billwright
from billwright.features.invoicing.rules.lifecycle import INVOICE_LIFECYCLE
from billwright.features.subscriptions.rules.lifecycle import LIFECYCLE
from billwright.kernel.event import Event
from billwright.kernel.refusal import RefusalCode
from billwright.runtime.settings_names import WITHOUT_EFFECT
from billwright.runtime.settings_table import SettingRow, settings_table

DOCUMENTS = Path(__file__).parent.parent / "docs"

_ERRORS = """# Errors

Every foreseen no has a code. The codes are a closed set: programs may rely on a code and on its facts,
while the sentence is for people and may change. The category decides the status of the answer, in each
surface in its own way. This page is written by `python -m tools.catalogue`.
"""
_EVENTS = """# Events

What has happened is published as events, stored in the same commit as the change that they tell of
and delivered at least once. `version` grows when a field changes its meaning or disappears; new fields
may come at any time. This page is written by `python -m tools.catalogue`.
"""
_STATES = """# States and commands

What can be done in which state, and which state follows. A dash is a refusal: `state_forbids`, which
names the state, the action and the actions that the state does allow. This page is written by
`python -m tools.catalogue`.
"""
_CONFIGURATION = """# Configuration

A setting is an environment variable, or a line of `billwright.toml` in the home with the same name in
lower case; the variable wins, and an empty one counts as unset. A process that finds anything wrong says
all of it at once and does not start; unknown variables are none of its business, unknown lines of the
file are. A name in parentheses is one that existing installations use: it stands for the setting where
that is not given itself, and of `NODE_ENV` only `production` says something. Lists have commas between
their parts, or are lists in the file. 🔒 marks secrets, which are never logged or shown.

[Running it](running.md#production) says what a first installation needs, and `billwright doctor` checks
it. This page is written by `python -m tools.catalogue`.
"""
_NO_EFFECT = """
## Without effect

These may be set, and nothing comes of it.

| variables | because |
|---|---|
"""


@dataclass(frozen=True)
class DeclaredRefusal:
    """A refusal code and where it is declared: `kernel`, or the part of the product it belongs to."""

    part: str
    refusal: RefusalCode


def declared_refusals() -> list[DeclaredRefusal]:
    """Every refusal code of the kernel and of each `errors.py`, once per declaration."""
    seen: dict[int, DeclaredRefusal] = {}
    for module in [*_modules_below("billwright.kernel"), *_modules_called("errors")]:
        for value in vars(module).values():
            if isinstance(value, RefusalCode):
                seen.setdefault(id(value), DeclaredRefusal(_part_of(module.__name__), value))
    return sorted(seen.values(), key=lambda each: (each.part, each.refusal.code))


def declared_events() -> list[type[Event]]:
    """Every class of events that an `events.py` declares and that names its type."""
    events = [
        value
        for module in _modules_called("events")
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Event)
        and value.__module__ == module.__name__
        and hasattr(value, "type")
    ]
    return sorted(events, key=lambda each: (each.type, each.version))


def errors_page(refusals: Iterable[DeclaredRefusal]) -> str:
    sections = [_ERRORS]
    part = None
    for declared in refusals:
        if declared.part != part:
            part = declared.part
            sections.append(f"\n## {part}\n\n| code | category | says |\n|---|---|---|\n")
        refusal = declared.refusal
        template = refusal.template.replace("|", "\\|")
        sections.append(f"| `{refusal.code}` | {refusal.category.value} | {template} |\n")
    return "".join(sections)


def events_page(events: Iterable[type[Event]]) -> str:
    sections = [_EVENTS]
    for event in events:
        meaning = " ".join((event.__doc__ or "").split("\n\n")[0].split())
        sections.append(f"\n## {event.type} (version {event.version})\n\n")
        if meaning and not meaning.startswith(f"{event.__name__}("):
            sections.append(f"{meaning}\n\n")
        sections.append(f"Subject: {event.subject_type}\n\n| field | type |\n|---|---|\n")
        sections += [f"| `{field.name}` | {_type_text(field.type)} |\n" for field in fields(event)]
    return "".join(sections)


def states_page() -> str:
    machines = (("Subscriptions", LIFECYCLE), ("Invoices", INVOICE_LIFECYCLE))
    return _STATES + "".join(f"\n## {name}\n\n{machine.table()}" for name, machine in machines)


def configuration_page(settings: Iterable[SettingRow]) -> str:
    sections = [_CONFIGURATION]
    group = None
    for row in settings:
        if row.group != group:
            group = row.group
            sections.append(
                f"\n## {group}\n\n| variable | default | example | says |\n|---|---|---|---|\n"
            )
        sections.append(f"| {' | '.join(map(_cell_text, _cells(row)))} |\n")
    sections.append(_NO_EFFECT)
    for names, reason in WITHOUT_EFFECT.items():
        listed = ", ".join(f"`{name}`" for name in names.split(", "))
        sections.append(f"| {listed} | {reason} |\n")
    return "".join(sections)


def pages() -> dict[Path, str]:
    """What each generated page has to read now."""
    return {
        DOCUMENTS / "errors.md": errors_page(declared_refusals()),
        DOCUMENTS / "events.md": events_page(declared_events()),
        DOCUMENTS / "states.md": states_page(),
        DOCUMENTS / "configuration.md": configuration_page(settings_table()),
    }


def _modules_below(package: str) -> Iterator[ModuleType]:
    parent = importlib.import_module(package)
    yield parent
    for found in pkgutil.walk_packages(parent.__path__, f"{package}."):
        yield importlib.import_module(found.name)


def _modules_called(name: str) -> Iterator[ModuleType]:
    for root in billwright.__path__:
        for file in sorted(Path(root).rglob(f"{name}.py")):
            inside = file.relative_to(root).with_suffix("").parts
            yield importlib.import_module(".".join(["billwright", *inside]))


def _part_of(module: str) -> str:
    parts = module.split(".")[1:]
    if parts[0] == "kernel":
        return "kernel"
    return " ".join(parts[1:-1] if parts[0] == "features" else parts[:-1]).replace("_", " ")


def _cells(row: SettingRow) -> tuple[str, ...]:
    name = f"`{row.name}`" + "".join(f" (`{other}`)" for other in row.alternates)
    return f"{name} 🔒" if row.is_secret else name, row.default, row.example, row.meaning


def _cell_text(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "\\<")


def _type_text(annotation: object) -> str:
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    return f"`{text}`".replace("|", "\\|")


def main() -> None:
    DOCUMENTS.mkdir(exist_ok=True)
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
