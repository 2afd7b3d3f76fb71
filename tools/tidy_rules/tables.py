"""Who writes which table?

A package owns the tables that the line `Tables: a, b` of its README.md names (`Tables: none` for
none). Every table that the migrations create in the schema `public` has exactly one owner. Only the
owner locks or changes its rows: a feature in `sql/writes.py` or a file `sql/writes_*.py`, any other
owner anywhere below its folder. A statement that locks or changes rows names no table of another
owner, not even to read it. A call `tx.insert("<table>", …)` is such a statement.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from tools.tidy_rules.exactness import sql_without_comments
from tools.tidy_rules.source import PACKAGE, Finding, PythonFile, SourceFile, Tree, is_migration

_FEATURES = PACKAGE / "features"
_OWNER_OF_SUBSCRIPTION = _FEATURES / "subscriptions"

_NAME = r"(?P<table>[\w.\"{}]+)"
_CREATE = re.compile(
    rf"\bcreate\s+(?:unlogged\s+)?table\s+(?:if\s+not\s+exists\s+)?{_NAME}(?!\s*partition\b)(?=\s*[(\s])",
    re.IGNORECASE,
)
_CREATE_TEMPORARY = re.compile(
    rf"\bcreate\s+temp(?:orary)?\s+table\s+(?:if\s+not\s+exists\s+)?{_NAME}", re.IGNORECASE
)
_CHANGES = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\binsert\s+into\s+{_NAME}",
        rf"\bmerge\s+into\s+(?:only\s+)?{_NAME}",
        rf"\bdelete\s+from\s+(?:only\s+)?{_NAME}",
        rf"\btruncate\s+(?:table\s+)?(?:only\s+)?{_NAME}",
        rf"\bupdate\s+(?:only\s+)?(?!set\b){_NAME}(?:\s+(?:as\s+)?(?!set\b)\w+)?\s+set\b",
        rf"\bcopy\s+{_NAME}\s*(?:\([^)]*\))?\s+from\b",
    )
]
_LOCKS = re.compile(r"\bfor\s+(?:no\s+key\s+)?(?:update|share)\b", re.IGNORECASE)
_READS = re.compile(rf"\b(?:from|join|using)\s+(?:only\s+|lateral\s+)?{_NAME}", re.IGNORECASE)
_TABLES_LINE = re.compile(r"^[\s*_-]*Tables[\s*_]*:[\s*_]*(?P<names>.*)$")


@dataclass(frozen=True)
class Ownership:
    """Each table's owner, as a folder, and the place in a migration that creates it."""

    owners: Mapping[str, PurePosixPath]
    created: Mapping[str, tuple[SourceFile, int]]

    def owner_of(self, file: PythonFile) -> PurePosixPath | None:
        """The folder in whose name a module writes: the feature, else the nearest owner above."""
        if file.feature is not None:
            return _FEATURES / file.feature
        folders = set(self.owners.values())
        return next((parent for parent in file.path.parents if parent in folders), None)


def tables(tree: Tree) -> Iterator[Finding]:
    created = _created_tables(tree)
    owners: dict[str, PurePosixPath] = {}
    yield from _read_owners(tree, owners=owners, created=created)
    ownership = Ownership(owners, created)
    yield from _unowned(ownership)
    for file in tree.python:
        if file.below_package and not file.is_migration:
            yield from _misplaced_writes(file, ownership)


def _created_tables(tree: Tree) -> dict[str, tuple[SourceFile, int]]:
    created: dict[str, tuple[SourceFile, int]] = {}
    for file in tree.texts:
        if not is_migration(file.path) or file.path.suffix not in {".py", ".sql"}:
            continue
        text = sql_without_comments(file.text)
        for match in _CREATE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            table = _plain(match["table"])
            if "." not in table:  # another schema belongs to the library that brought it
                created.setdefault(table, (file, line))
    return created


def _read_owners(
    tree: Tree,
    *,
    owners: dict[str, PurePosixPath],
    created: Mapping[str, tuple[SourceFile, int]],
) -> Iterator[Finding]:
    declaring: set[PurePosixPath] = set()
    for readme, number, names in _tables_lines(tree):
        folder = readme.path.parent
        declaring.add(folder)
        for name in names:
            first = owners.setdefault(name, folder)
            if first != folder:
                message = f"table {name} is already owned by {first.relative_to(PACKAGE)}"
            elif name not in created:
                message = f"no migration creates the table {name}"
            elif name == "subscription" and folder != _OWNER_OF_SUBSCRIPTION:
                message = "only the feature subscriptions writes subscription rows"
            else:
                continue
            yield readme.finding(number, rule="tables", message=message)
    features = {_FEATURES / file.feature for file in tree.python if file.feature is not None}
    for folder in sorted(features - declaring):
        yield Finding(
            str(folder / "README.md"), 1, "tables", "no line `Tables: a, b` (or `Tables: none`)"
        )


def _tables_lines(tree: Tree) -> Iterator[tuple[SourceFile, int, list[str]]]:
    for readme in tree.texts:
        if readme.path.name != "README.md" or not readme.path.is_relative_to(PACKAGE):
            continue
        for number, line in enumerate(readme.text.splitlines(), start=1):
            match = _TABLES_LINE.match(line)
            if match:
                names = re.findall(r"\w+", match["names"])
                yield readme, number, [name for name in names if name != "none"]


def _unowned(ownership: Ownership) -> Iterator[Finding]:
    for table, (file, line) in ownership.created.items():
        if table not in ownership.owners:
            yield file.finding(
                line, rule="tables", message=f"no README.md owns the table {table} (`Tables: …`)"
            )


def _misplaced_writes(file: PythonFile, ownership: Ownership) -> Iterator[Finding]:
    own = ownership.owner_of(file)
    temporary = {
        _plain(match["table"])
        for _, text in file.strings
        for match in _CREATE_TEMPORARY.finditer(text)
    }
    for line, text in [*file.strings, *_insert_calls(file)]:
        sql = sql_without_comments(text)
        changed = [_plain(match["table"]) for each in _CHANGES for match in each.finditer(sql)]
        changed = [table for table in changed if table not in temporary]
        read = [_plain(match["table"]) for match in _READS.finditer(sql)]
        locked = _LOCKS.search(sql) is not None and any(each in ownership.created for each in read)
        problems = []
        if file.feature is not None and "sql" in file.below_package:
            problems += [
                f"{table} is no table of the migrations"
                for table in changed
                if "{" not in table and table not in ownership.created
            ]
        writes = [table for table in changed if table in ownership.created or "{" in table]
        if not writes and not locked:
            yield from (file.finding(line, rule="tables", message=each) for each in problems)
            continue
        if file.feature is not None and not _is_writes_module(file):
            problems.append("rows are locked and changed in sql/writes.py only")
        if any("{" in table for table in writes):
            problems.append("a changed table is named literally")
        for table in dict.fromkeys([*writes, *read]):
            owner = ownership.owners.get(table)
            if owner is not None and owner != own:
                problems.append(f"{table} belongs to {owner.relative_to(PACKAGE)}")
        yield from (file.finding(line, rule="tables", message=each) for each in problems)


def _insert_calls(file: PythonFile) -> Iterator[tuple[int, str]]:
    for node in ast.walk(file.tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="tx"), attr="insert"),
                args=[ast.Constant(value=str(table)), *_],
            ):
                yield node.lineno, f"insert into {table} ("
            case ast.Call(func=ast.Attribute(value=ast.Name(id="tx"), attr="insert")):
                yield node.lineno, "insert into {table} ("


def _is_writes_module(file: PythonFile) -> bool:
    inside = file.below_package[2:]
    if len(inside) < 2 or inside[0] != "sql":
        return False
    return inside[1] == "writes" or PurePosixPath(inside[1]).stem.startswith("writes")


def _plain(table: str) -> str:
    return table.replace('"', "").lower().removeprefix("public.")
