"""How long may a file and a function be?"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tools.tidy_rules.source import Finding, PythonFile

FILE_LINES = 400
FUNCTION_LINES = 70


def long_files(file: PythonFile) -> Iterator[Finding]:
    lines = len(file.text.splitlines())
    if lines > FILE_LINES and not file.is_migration:
        yield file.finding(
            1, rule="file-length", message=f"{lines} lines, at most {FILE_LINES} are read at once"
        )


def long_functions(file: PythonFile) -> Iterator[Finding]:
    if file.is_migration:
        return
    for node in ast.walk(file.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                yield file.finding(
                    node.lineno,
                    rule="function-length",
                    message=f"{node.name} has {lines} lines, at most {FUNCTION_LINES}",
                )
