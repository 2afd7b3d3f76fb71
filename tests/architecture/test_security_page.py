"""Does each test exist that the page on security names, and is what it says of dependencies so?"""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
RISKS = [f"### API{number}: " for number in range(1, 11)]


def rows() -> list[str]:
    """The rows of the tables that say by which test something is shown."""
    found = []
    for table in re.findall(
        r"^\| what holds \| shown by \|\n\|---\|---\|\n((?:\|.*\n)+)", PAGE, re.MULTILINE
    ):
        found += table.splitlines()
    return found


def functions_of(path: str) -> set[str]:
    file = ROOT / path
    tree = ast.parse(file.read_text()) if file.is_file() else ast.Module([], [])
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_every_row_names_its_test():
    assert len(rows()) > 50
    assert [row for row in rows() if not NAMED.search(row)] == []


def test_every_test_that_is_named_exists():
    named = set(NAMED.findall(PAGE))
    missing = {f"{path}::{name}" for path, name in named if name not in functions_of(path)}
    assert missing == set()
    # A name in another form would not be looked at.
    assert PAGE.count("::test_") == len(NAMED.findall(PAGE))
    assert all(name.startswith("test_") for _, name in named)


@pytest.mark.parametrize("risk", RISKS)
def test_every_risk_has_its_table(risk):
    section = PAGE.partition(risk)[2].partition("\n### ")[0]
    assert "| what holds | shown by |" in section


def test_every_package_is_pinned_with_its_hashes():
    lock = (ROOT / "requirements.lock").read_text()
    blocks = [part for part in re.split(r"\n(?=\S)", lock) if not part.startswith("#")]
    pinned = {re.split(r"[=\[ ]", block)[0].lower().replace("_", "-") for block in blocks}
    assert len(pinned) > 50
    assert [one for one in blocks if not re.match(r"\S+==\S+ .*\n +--hash=sha256:", one)] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    names = {re.match(r"[\w.-]+", one)[0].lower().replace("_", "-") for one in wanted}
    assert names <= pinned
    assert "--require-hashes requirements.lock" in (ROOT / "Makefile").read_text()
