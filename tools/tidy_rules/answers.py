"""Are refusals and events declared where the catalogue finds them?"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tools.tidy_rules.source import Finding, PythonFile

_REFUSAL_CODE = "billwright.kernel.refusal.RefusalCode"
_EVENT = "billwright.kernel.event.Event"


def refusals_outside_errors(file: PythonFile) -> Iterator[Finding]:
    """A `RefusalCode` is made once, in the kernel or in an `errors.py`."""
    if not file.below_package or file.below_package[0] == "kernel":
        return
    if file.path.name == "errors.py":
        return
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Call) and file.qualified_name(node.func) == _REFUSAL_CODE:
            yield file.finding(
                node.lineno, rule="catalogue", message="a refusal code is declared in errors.py"
            )


def events_outside_events(file: PythonFile) -> Iterator[Finding]:
    if not file.below_package or file.path.name == "events.py":
        return
    for node in ast.walk(file.tree):
        if isinstance(node, ast.ClassDef) and any(
            file.qualified_name(base) == _EVENT for base in node.bases
        ):
            yield file.finding(
                node.lineno, rule="catalogue", message=f"{node.name} is declared in events.py"
            )
