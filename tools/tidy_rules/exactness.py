"""Where could an inexact number or an unplanned moment enter a bill?"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tools.tidy_rules.source import PACKAGE, Finding, PythonFile, SourceFile

_CLOCK = PACKAGE / "runtime" / "clock.py"

_AMBIENT_TIME = {
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "time.ctime",
    "time.gmtime",
    "time.localtime",
    "time.strftime",
    "time.time",
    "time.time_ns",
}
_AMBIENT_WHENEVER = re.compile(r"whenever\.\w+\.(?:now\w*|today\w*)")
_STOPWATCHES = {"time.monotonic", "time.monotonic_ns", "time.perf_counter", "time.perf_counter_ns"}

_AMBIENT_SQL = re.compile(
    r"\b(?:(?:now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday)\s*\(\s*\)"
    r"|current_(?:timestamp|date|time)\b|localtime(?:stamp)?\b)",
    re.IGNORECASE,
)
_LOOKS_LIKE_SQL = re.compile(
    r"\b(?:select|insert\s+into|delete\s+from|update\s+\S+\s+(?:\w+\s+)*?set|(?:create|alter)\s+\w+)\b",
    re.IGNORECASE,
)
_SQL_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)


def binary_numbers(file: PythonFile) -> Iterator[Finding]:
    """`float` in the kernel, in rules and in models: a type, a conversion, a literal, a result."""
    if not _is_exact(file):
        return
    for node in ast.walk(file.tree):
        problem = _binary_number(node)
        if problem:
            yield file.finding(
                getattr(node, "lineno", 1),
                rule="float",
                message=f"{problem}: amounts and shares are exact (int, Decimal, Fraction)",
            )


def ambient_time(file: PythonFile) -> Iterator[Finding]:
    """Reads of the machine's time outside the clock; rules and features may not even stop time."""
    if not file.below_package or file.path == _CLOCK:
        return
    may_stop_time = file.below_package[0] not in {"kernel", "features"}
    for node in ast.walk(file.tree):
        if not isinstance(node, ast.Attribute | ast.Name):
            continue
        name = file.qualified_name(node)
        if name is None:
            continue
        if (
            name in _AMBIENT_TIME
            or _AMBIENT_WHENEVER.fullmatch(name)
            or (name in _STOPWATCHES and not may_stop_time)
        ):
            yield file.finding(
                node.lineno,
                rule="ambient-time",
                message=f"{name} reads the machine's time: take tx.now or a parameter",
            )


def ambient_time_in_sql(file: PythonFile) -> Iterator[Finding]:
    if not file.below_package:
        return
    for line, text in file.strings:
        sql = _SQL_COMMENT.sub("", text)
        match = _AMBIENT_SQL.search(sql)
        if match and _LOOKS_LIKE_SQL.search(sql):
            yield file.finding(line, rule="ambient-time", message=_sql_message(match))


def ambient_time_in_sql_file(file: SourceFile) -> Iterator[Finding]:
    if file.path.suffix != ".sql" or not file.path.is_relative_to(PACKAGE):
        return
    for number, line in enumerate(file.text.splitlines(), start=1):
        match = _AMBIENT_SQL.search(_SQL_COMMENT.sub("", line))
        if match:
            yield file.finding(number, rule="ambient-time", message=_sql_message(match))


def sql_without_comments(text: str) -> str:
    """The statement with every comment blanked out and its line breaks kept."""
    return _SQL_COMMENT.sub(lambda comment: "\n" * comment.group().count("\n"), text)


def _sql_message(match: re.Match[str]) -> str:
    return f"{match.group()} in SQL reads the machine's time: pass tx.now as a parameter"


def _is_exact(file: PythonFile) -> bool:
    parts = file.below_package
    if not parts:
        return False
    if parts[0] == "kernel":
        return True
    return file.feature is not None and (parts[2] == "model.py" or "rules" in parts[2:])


def _binary_number(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
        return f"the literal {node.value!r} is a float"
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id == "float":
            return "float() rounds in binary"
        if isinstance(node.func, ast.Attribute) and node.func.attr in {
            "total_seconds",
            "timestamp",
        }:
            return f".{node.func.attr}() returns a float (divide timedeltas with //)"
    if isinstance(node, ast.arg | ast.AnnAssign) and _names_float(node.annotation):
        return "a float is declared"
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _names_float(node.returns):
        return f"{node.name} returns a float"
    return None


def _names_float(annotation: ast.expr | None) -> bool:
    if annotation is None:
        return False
    return any(isinstance(node, ast.Name) and node.id == "float" for node in ast.walk(annotation))
