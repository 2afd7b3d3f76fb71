"""Can an operator see what a dunning policy would do, and does the manual show it truly?"""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from billwright.entrypoints.command_line import main
from billwright.features.dunning.rules.policy import DunningPolicy, definition_of

MANUAL = (Path(__file__).parents[3] / "docs" / "dunning.md").read_text(encoding="utf-8")
PROMPT = "$ billwright "


def run(*arguments: str):
    return CliRunner().invoke(main, ["dunning", "simulate", *arguments])


def blocks(kind: str) -> list[str]:
    """The fenced blocks of the manual of one kind."""
    return [block.split("```")[0] for block in MANUAL.split(f"```{kind}\n")[1:]]


def test_the_manual_shows_what_the_command_prints(tmp_path, monkeypatch):
    [policy] = blocks("toml")
    (tmp_path / "policy.toml").write_text(policy, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    shown = blocks("console")
    assert len(shown) == 2
    for block in shown:
        command, _, output = block.partition("\n")
        done = CliRunner().invoke(main, shlex.split(command.removeprefix(PROMPT)))
        assert (done.exit_code, done.output) == (0, output)


def test_the_manual_names_every_member_and_no_other():
    section = MANUAL.partition("## The policy\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    assert {row.split("`")[1] for row in rows} == set(definition_of(DunningPolicy()))


def test_json_says_the_policy_in_full_and_every_entry(tmp_path):
    file = tmp_path / "policy.json"
    file.write_text(json.dumps({"schedule": ["P1D"], "notices": [], "entitlement_steps": []}))
    done = run("--policy", str(file), "--from", "2026-06-01T12:00", "--paid-at", "2", "--json")
    report = json.loads(done.output)
    assert set(report["policy"]) == set(definition_of(DunningPolicy()))
    assert report["zone"] == "UTC"
    assert [(entry["at"], entry["kind"], entry["value"]) for entry in report["entries"]] == [
        ("2026-06-01T12:00:00+00:00", "attempt", "soft"),
        ("2026-06-02T12:00:00+00:00", "attempt", "paid"),
        ("2026-06-02T12:00:00+00:00", "restored", None),
    ]


def test_without_a_date_it_begins_now():
    assert run("--paid-at", "1").output.splitlines()[1].endswith("attempt 1: paid")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("policy.toml", 'schedule = ["2 days"]', "/schedule/0"),
        ("policy.toml", "schedule = ", "policy.toml cannot be read"),
        ("policy.json", '{"retries": 4}', "/retries"),
        ("policy.json", "[]", "no table"),
        ("policy.json", "{", "policy.json cannot be read"),
    ],
)
def test_a_policy_that_is_refused_names_what_is_wrong(tmp_path, name, text, said):
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    done = run("--policy", str(file))
    assert done.exit_code == 1
    assert said in done.stderr


def test_an_unknown_zone_is_refused():
    done = run("--zone", "Mars/Base")
    assert (done.exit_code, "Mars/Base" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--declines", "soft,maybe"),
        ("--declines", "soft,hard", "--paid-at", "2"),
        ("--paid-at", "0"),
    ],
)
def test_attempts_that_cannot_be_supposed(arguments):
    assert run(*arguments).exit_code == 2
