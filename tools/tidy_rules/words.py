"""Do names and comments say what the reader needs, and nothing that belongs elsewhere?"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tools.tidy_rules.source import Finding, PythonFile, SourceFile

_HOMELESS_MODULES = {
    *("common", "helper", "helpers", "manager", "managers", "misc"),
    *("service", "services", "util", "utils"),
}
# `ServiceType` and `ServicePlan` are words of the trade; a class that *is* a service or a manager
# has not been named yet. The other words say nothing in any position.
_EMPTY_WORDS = {"Base", "Helper", "Impl"}
_EMPTY_LAST_WORDS = {"Manager", "Service"}
_CAMEL_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*")

_BANNER = re.compile(r"^(?:#+|--)\s*[-=*#~_+]{4,}|[-=*#~_+]{4,}\s*$|^#{2,}")
_UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
_DATED = re.compile(r"^(?:#|--)\s*\(?\d{4}-\d{2}-\d{2}\)?\s*[:,-]")

_SENTENCE_END = re.compile(r"[.?!][\"'`)]*$")
_NEXT_SENTENCE = re.compile(
    r"(?<!e\.g)(?<!i\.e)(?<!\bvs)(?<!\bNo)(?P<end>[.?!])[\"'`)]*\s+(?=[A-Z])"
)

# Written in pieces, so that this file does not hold what it looks for.
_REGISTRY_HOSTS = (
    ("pypi", "org"),
    ("pythonhosted", "org"),
    ("npmjs", "org"),
    ("npmjs", "com"),
    ("yarnpkg", "com"),
    ("crates", "io"),
    ("proxy", "golang", "org"),
    ("rubygems", "org"),
    ("repo", "maven", "apache", "org"),
)
_FOREIGN = re.compile(
    r"(?<![\w.])/(?:work|root)/|(?<!\w)(?:"
    + "|".join(re.escape(".".join(host)) for host in _REGISTRY_HOSTS)
    + r")\b"
)


def homeless_names(file: PythonFile) -> Iterator[Finding]:
    """Module and class names that name no thing."""
    name = file.path.parent.name if file.path.stem == "__init__" else file.path.stem
    if name in _HOMELESS_MODULES:
        yield file.finding(
            1, rule="name", message=f"a module named {name} has no subject: name its noun"
        )
    for node in ast.walk(file.tree):
        if not isinstance(node, ast.ClassDef):
            continue
        words = _CAMEL_WORD.findall(node.name)
        empty = _EMPTY_WORDS.intersection(words) | _EMPTY_LAST_WORDS.intersection(words[-1:])
        if empty:
            yield file.finding(
                node.lineno,
                rule="name",
                message=f"{node.name}: {min(empty)} says nothing, name what the class is",
            )


def module_docstring(file: PythonFile) -> Iterator[Finding]:
    """Every module that is not empty begins with one sentence, set off by a blank line.

    A question may be followed by its answer, if that is one sentence too.
    """
    if not file.tree.body:
        return
    text = ast.get_docstring(file.tree)
    if not text:
        yield file.finding(
            1, rule="docstring", message="no module docstring: which question does it answer?"
        )
        return
    if file.is_migration:
        return
    first = " ".join(text.split("\n\n")[0].split())
    if not _SENTENCE_END.search(first):
        message = "the module docstring does not begin with a whole sentence"
    elif not _is_one_thought([match["end"] for match in _NEXT_SENTENCE.finditer(first)]):
        message = "the module docstring begins with more than one sentence: set the first one off"
    else:
        return
    yield file.finding(1, rule="docstring", message=message)


def comments(file: SourceFile) -> Iterator[Finding]:
    """Banners, unfinished work and dated notes; commented-out code is found by ruff."""
    for line, text in file.comments:
        if text.startswith("#!"):
            continue
        if _BANNER.search(text):
            message = "a banner: split the file or drop the line"
        elif _UNFINISHED.search(text):
            message = "unfinished work: finish it or record it outside the code"
        elif _DATED.search(text):
            message = "a dated note: the history keeps dates"
        else:
            continue
        yield file.finding(line, rule="comment", message=message)


def foreign_places(file: SourceFile) -> Iterator[Finding]:
    """Paths of one machine and hosts of package registries, in any text file."""
    if "\0" in file.text:
        return
    for number, line in enumerate(file.text.splitlines(), start=1):
        match = _FOREIGN.search(line)
        if match:
            yield file.finding(
                number, rule="foreign", message=f"{match.group()!r} is no part of the project"
            )


def _is_one_thought(inner_ends: list[str]) -> bool:
    return not inner_ends or inner_ends == ["?"]
