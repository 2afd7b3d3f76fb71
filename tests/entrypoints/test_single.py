"""Do the processes of a larger installation start one by one, and end when they are told to?"""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.entrypoints.installation import billwright, eventually, free_port, process

pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize(
    ("role", "sign"), [("api", "Started server process"), ("worker", "working")]
)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_works_until_a_signal(
    tmp_path: Path, migrated_database: str, role: str, sign: str, number: signal.Signals
):
    variables = {"DATABASE_URL": migrated_database, "PORT": str(free_port())}
    with process(role, tmp_path / "home", **variables) as (started, log):
        assert eventually(lambda: sign in log.read_text()), log.read_text()
        started.send_signal(number)
        assert started.wait(timeout=120) == 0, log.read_text()
        assert "Traceback" not in log.read_text()


@pytest.mark.parametrize("origins", [{}, {"CORS_ORIGIN": "https://console.example.com"}])
def test_production_warns_once_if_no_web_page_may_call(
    tmp_path: Path, migrated_database: str, origins: dict[str, str]
):
    variables = {
        "BILLWRIGHT_ENVIRONMENT": "production",
        "ENCRYPTION_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "DATABASE_URL": migrated_database,
        "PORT": str(free_port()),
    }
    with process("api", tmp_path / "home", **variables, **origins) as (_, log):
        assert eventually(lambda: "Started server process" in log.read_text()), log.read_text()
        assert log.read_text().count("CORS_ORIGIN") == (0 if origins else 1)


@pytest.mark.parametrize("role", ["api", "worker"])
def test_it_asks_for_a_database_of_its_own(tmp_path: Path, role: str):
    refused = billwright(role, home=tmp_path / "home", PORT=str(free_port()))
    assert refused.returncode == 1
    assert refused.stderr.startswith("DATABASE_URL is not set.")


def test_a_schema_of_another_version_is_refused_until_it_is_migrated(
    tmp_path: Path, fresh_database: str
):
    home, variables = tmp_path / "home", {"DATABASE_URL": fresh_database, "PORT": str(free_port())}
    refused = billwright("worker", home=home, **variables)
    assert refused.returncode == 1
    assert "stands at revision none" in refused.stderr
    assert "billwright migrate" in refused.stderr
    assert "Traceback" not in refused.stderr
    for said in ("migrated: 0001", "the schema is up to date"):
        migrated = billwright("migrate", home=home, **variables)
        assert migrated.returncode == 0, migrated.stderr
        assert migrated.stdout.startswith(said)
