"""Is the command quick, and does it tell the operator what is wrong?"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from billwright import __version__
from tests.entrypoints.installation import billwright

HEAVY = ("fastapi", "pydantic", "asyncpg", "pgqueuer", "rich", "structlog", "typst")


HELP = f"""
import sys
from billwright.entrypoints.command_line import main
main(["--help"], standalone_mode=False)
sys.stderr.write(" ".join(set(sys.modules) & set({HEAVY!r})))
"""


def test_the_help_loads_nothing_that_it_does_not_need():
    loaded = subprocess.run(
        [sys.executable, "-c", HELP], capture_output=True, text=True, check=True
    )
    assert loaded.stderr == ""
    commands = "up api worker migrate demo openapi doctor tenant key user version".split()
    for command in commands:
        assert f"\n  {command} " in loaded.stdout


def test_the_version_is_printed(tmp_path: Path):
    assert billwright("version", home=tmp_path).stdout == f"{__version__}\n"


@pytest.mark.parametrize("command", ["up", "api", "worker", "migrate", "demo", "tenant list"])
def test_wrong_settings_are_listed_without_a_traceback(tmp_path: Path, command: str):
    refused = billwright(*command.split(), home=tmp_path, PORT="seventy", LOG_LEVEL="loud")
    assert refused.returncode == 1
    first, *problems = refused.stderr.splitlines()
    assert first == "The settings cannot be used:"
    assert [problem.split(":")[0].strip() for problem in problems] == ["PORT", "LOG_LEVEL"]


@pytest.mark.parametrize(
    ("surface", "paths"),
    [
        ("platform", {"/accounts", "/subscriptions/{subscription_id}/entitlements"}),
        ("manager", {"/health", "/config"}),
        ("all", {"/api/health", "/api/billing/accounts"}),
    ],
)
def test_the_documents_are_valid_and_need_no_database(
    tmp_path: Path, surface: str, paths: set[str]
):
    unreachable = "postgresql://somebody:hidden@127.0.0.1:1/billing"
    printed = billwright(
        "openapi", "--surface", surface, home=tmp_path / "home", DATABASE_URL=unreachable
    )
    assert printed.returncode == 0, printed.stderr
    document = json.loads(printed.stdout)
    validate(document)
    assert paths <= document["paths"].keys()
    assert not (tmp_path / "home").exists()
