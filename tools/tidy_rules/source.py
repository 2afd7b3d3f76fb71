"""What does a rule see of the tree?"""

from __future__ import annotations

import ast
import io
import subprocess
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

CODE_FOLDERS = ("src", "tests", "tools", "benchmarks")
PACKAGE = PurePosixPath("src/billwright")

_IGNORED_FOLDERS = {
    ".git",
    ".hypothesis",
    ".import_linter_cache",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".tools",
    ".venv",
    "__pycache__",
    "dist",
    "node_modules",
}


@dataclass(frozen=True, order=True)
class Finding:
    """One broken rule at one place; `rule` is the word that an exception comment names."""

    path: str
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message} [{self.rule}]"


@dataclass(frozen=True)
class SourceFile:
    """One text file; `path` is relative to the root, with forward slashes."""

    path: PurePosixPath
    text: str

    def finding(self, line: int, *, rule: str, message: str) -> Finding:
        return Finding(str(self.path), line, rule, message)

    @cached_property
    def comments(self) -> list[tuple[int, str]]:
        """Line and text of every comment of Python or SQL; none in other languages."""
        if self.path.suffix == ".sql":
            lines = enumerate(self.text.splitlines(), start=1)
            return [(number, line[line.index("--") :]) for number, line in lines if "--" in line]
        if self.path.suffix != ".py":
            return []
        try:
            tokens = list(tokenize.generate_tokens(io.StringIO(self.text).readline))
        except (tokenize.TokenError, SyntaxError):
            return []  # the file is reported as a whole
        return [(each.start[0], each.string) for each in tokens if each.type == tokenize.COMMENT]


@dataclass(frozen=True)
class PythonFile(SourceFile):
    tree: ast.Module = field(repr=False)

    @cached_property
    def below_package(self) -> tuple[str, ...]:
        """The path's parts below the package, `("features", "tax", …)`; empty outside it."""
        if not self.path.is_relative_to(PACKAGE):
            return ()
        return self.path.relative_to(PACKAGE).parts

    @cached_property
    def feature(self) -> str | None:
        parts = self.below_package
        return parts[1] if len(parts) > 2 and parts[0] == "features" else None

    @cached_property
    def is_migration(self) -> bool:
        """A revision is written once and never tidied afterwards: size does not bind it."""
        return is_migration(self.path)

    @cached_property
    def imports(self) -> dict[str, str]:
        """Local name to qualified name, for every import anywhere in the module."""
        names: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    top = alias.name.partition(".")[0]
                    names[alias.asname or top] = alias.name if alias.asname else top
            elif isinstance(node, ast.ImportFrom) and node.module is not None:
                for alias in node.names:
                    names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        return names

    def qualified_name(self, node: ast.expr) -> str | None:
        """`dt.now` as `datetime.datetime.now`, resolved through the imports; None if not a name."""
        attributes: list[str] = []
        while isinstance(node, ast.Attribute):
            attributes.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        return ".".join([self.imports.get(node.id, node.id), *reversed(attributes)])

    @cached_property
    def strings(self) -> list[tuple[int, str]]:
        """Line and text of every string that is not a docstring; an f-string's gaps read `{}`."""
        return list(_strings_of(self.tree))


@dataclass(frozen=True)
class Tree:
    """Every text file of the project, parsed once."""

    texts: tuple[SourceFile, ...]
    python: tuple[PythonFile, ...]
    unreadable: tuple[Finding, ...]


def is_migration(path: PurePosixPath) -> bool:
    return "migrations" in path.parts and path.parent.name in {"versions", "sql"}


def read_tree(root: Path) -> Tree:
    """The tracked files, and those that are about to be; outside a repository, all files."""
    texts: list[SourceFile] = []
    python: list[PythonFile] = []
    unreadable: list[Finding] = []
    for path in sorted(_paths(root)):
        try:
            text = (root / path).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue
        file = SourceFile(path, text)
        texts.append(file)
        if path.suffix == ".py" and path.parts[0] in CODE_FOLDERS:
            try:
                python.append(PythonFile(path, text, ast.parse(text)))
            except SyntaxError as error:
                unreadable.append(
                    file.finding(error.lineno or 1, rule="syntax", message=f"not Python: {error}")
                )
    return Tree(tuple(texts), tuple(python), tuple(unreadable))


def _paths(root: Path) -> Iterator[PurePosixPath]:
    if (root / ".git").exists():
        listing = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=root,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        yield from (PurePosixPath(name) for name in set(listing.split("\0")) if name)
        return
    for path in root.rglob("*"):
        relative = path.relative_to(root)
        if path.is_file() and not _IGNORED_FOLDERS.intersection(relative.parts):
            yield PurePosixPath(relative)


def _strings_of(node: ast.AST) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring, or a constant that does nothing
    if isinstance(node, ast.expr):
        text = _folded(node)
        if text is not None:
            yield node.lineno, text
            return
    for child in ast.iter_child_nodes(node):
        yield from _strings_of(child)


def _folded(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(_folded(value) or "{}" for value in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _folded(node.left), _folded(node.right)
        if left is None and right is None:
            return None
        return ("{}" if left is None else left) + ("{}" if right is None else right)
    return None
