"""Does the doctor find what is wrong, and say what to do about it?"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from billwright.runtime.db.embedded import EmbeddedPostgres
from billwright.runtime.db.migrate import migrate_now
from billwright.runtime.settings import Settings, load_settings
from billwright.surfaces.cli.database_findings import database_findings
from billwright.surfaces.cli.doctor import examine
from billwright.surfaces.cli.findings import Finding, Verdict
from billwright.surfaces.cli.machine_findings import (
    address_findings,
    folder_findings,
    key_finding,
    mail_finding,
)
from tests.postgres import ServerInfo, reachable_folder

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def settings_with(home: Path, **variables: str) -> Settings:
    return load_settings({"BILLWRIGHT_HOME": str(home), **variables})


def named(findings: Iterator[Finding], subject: str) -> Finding:
    (found,) = [finding for finding in findings if finding.subject == subject]
    return found


def database_of(name: str) -> str:
    return name.rpartition("/")[2]


def test_a_migrated_database_is_fine(tmp_path, migrated_database):
    findings = list(database_findings(settings_with(tmp_path, DATABASE_URL=migrated_database)))
    assert {finding.subject for finding in findings} == {
        "database",
        "schema",
        "database role",
        "clock",
    }
    assert {finding.verdict for finding in findings} == {Verdict.FINE}


def test_a_schema_that_was_never_migrated_is_a_problem(tmp_path, fresh_database):
    found = named(database_findings(settings_with(tmp_path, DATABASE_URL=fresh_database)), "schema")
    assert found.verdict is Verdict.PROBLEM
    assert found.remedy == "Run: billwright migrate"


def test_a_schema_of_a_newer_version_is_not_to_be_migrated(
    tmp_path, postgres_server: ServerInfo, migrated_database
):
    postgres_server.execute(
        "update alembic_version set version_num = '9999'", database=database_of(migrated_database)
    )
    found = named(
        database_findings(settings_with(tmp_path, DATABASE_URL=migrated_database)), "schema"
    )
    assert found.verdict is Verdict.PROBLEM
    assert found.remedy.startswith("Install the Billwright")


def test_a_table_without_protection_is_named(
    tmp_path, postgres_server: ServerInfo, migrated_database
):
    postgres_server.execute(
        "alter table account disable row level security", database=database_of(migrated_database)
    )
    found = named(
        database_findings(settings_with(tmp_path, DATABASE_URL=migrated_database)), "row security"
    )
    assert (found.verdict, found.text) == (Verdict.PROBLEM, "tables without protection: account")


def test_a_database_out_of_reach_is_a_problem_without_its_password(tmp_path):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"postgresql://a:hidden@127.0.0.1:{nobody.getsockname()[1]}/billing"
        (found,) = database_findings(settings_with(tmp_path, DATABASE_URL=address))
    assert found.verdict is Verdict.PROBLEM
    assert "cannot be reached" in found.text
    assert "hidden" not in found.text


def test_an_embedded_database_is_looked_at_whether_it_runs_or_not():
    with reachable_folder() as folder:
        settings = settings_with(folder / "home")
        (absent,) = database_findings(settings)
        assert (absent.verdict, absent.text[:8]) == (Verdict.FINE, "none yet")
        assert not (folder / "home").exists()
        with EmbeddedPostgres(folder / "home"):
            while_running = list(database_findings(settings))
        afterwards = list(database_findings(settings))
    for findings in (while_running, afterwards):
        assert [finding.subject for finding in findings] == ["database", "schema", "clock"]
        assert findings[0].text == "PostgreSQL 18, embedded"


def test_a_role_that_sees_every_tenant_is_a_problem(tmp_path):
    # Roles belong to the whole server, so that this one is not shared with other tests.
    with reachable_folder() as folder, EmbeddedPostgres(folder / "home") as server:
        migrate_now(server.dsn_for("billwright"))
        info = ServerInfo(server)
        settings = settings_with(tmp_path, DATABASE_URL=server.dsn_for("billwright"))
        assert named(database_findings(settings), "database role").verdict is Verdict.FINE
        info.execute("alter role billwright_app bypassrls")
        assert "every tenant" in named(database_findings(settings), "database role").text
        info.execute("alter role billwright_app nobypassrls")
        info.execute("revoke billwright_app from billwright granted by billwright")
        info.execute("revoke billwright_app from billwright")
        found = named(database_findings(settings), "database role")
        assert found.verdict is Verdict.PROBLEM
        assert "cannot be taken" in found.text


def test_the_key_is_known_by_its_fingerprint_alone(tmp_path):
    found = key_finding(settings_with(tmp_path, ENCRYPTION_KEY=KEY))
    assert found.verdict is Verdict.FINE
    assert found.text.startswith("fingerprint ")
    assert KEY not in found.text
    assert "will be generated" in key_finding(settings_with(tmp_path)).text
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_others_can_read_is_a_problem(tmp_path):
    (tmp_path / "encryption.key").write_text(KEY)
    (tmp_path / "encryption.key").chmod(0o644)
    found = key_finding(settings_with(tmp_path))
    assert found.verdict is Verdict.PROBLEM
    assert "chmod 600" in found.text


def test_a_folder_that_does_not_exist_yet_is_fine(tmp_path):
    findings = list(folder_findings(settings_with(tmp_path / "deep" / "home")))
    assert [finding.subject for finding in findings] == ["data folder", "disk"]
    assert findings[0].text.endswith("it will be created")
    assert findings[0].verdict is Verdict.FINE


def test_a_folder_that_is_a_file_is_a_problem(tmp_path):
    (tmp_path / "home").write_text("")
    assert next(folder_findings(settings_with(tmp_path / "home"))).verdict is Verdict.PROBLEM


@pytest.mark.parametrize(
    ("free", "verdict"),
    [(50 * 1024**3, Verdict.FINE), (500 * 1024**2, Verdict.WARNING), (1024, Verdict.PROBLEM)],
)
def test_a_full_disk_is_noticed_in_time(tmp_path, monkeypatch, free, verdict):
    usage = SimpleNamespace(free=free)
    monkeypatch.setattr("shutil.disk_usage", lambda _path: usage)
    assert named(folder_findings(settings_with(tmp_path)), "disk").verdict is verdict


def test_a_port_of_somebody_else_is_a_problem(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        def hang_up() -> None:
            other.accept()[0].close()

        server = threading.Thread(target=hang_up)
        server.start()
        found = named(address_findings(settings_with(tmp_path, PORT=str(port))), "address")
        server.join()
    assert found.verdict is Verdict.PROBLEM
    assert f"port {port}: Address already in use" in found.text


def test_production_is_warned_of_an_address_that_is_not_encrypted(tmp_path):
    variables = {"BILLWRIGHT_ENVIRONMENT": "production", "ENCRYPTION_KEY": KEY}
    found = named(address_findings(settings_with(tmp_path, **variables)), "public URL")
    assert found.verdict is Verdict.WARNING
    assert mail_finding(settings_with(tmp_path, **variables)).verdict is Verdict.WARNING


@pytest.mark.parametrize(("greeting", "verdict"), [(b"220 mail", "fine"), (b"HTTP/", "problem")])
def test_a_mail_server_is_one_that_greets(tmp_path, greeting, verdict):
    with socket.create_server(("127.0.0.1", 0)) as mail:

        def greet() -> None:
            connection, _ = mail.accept()
            with connection:
                connection.sendall(greeting)

        server = threading.Thread(target=greet)
        server.start()
        port = str(mail.getsockname()[1])
        found = mail_finding(settings_with(tmp_path, SMTP_HOST="127.0.0.1", SMTP_PORT=port))
        server.join()
    assert found.verdict == verdict


def test_a_mail_server_that_is_not_there_is_a_problem(tmp_path):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = str(nobody.getsockname()[1])
        found = mail_finding(settings_with(tmp_path, SMTP_HOST="127.0.0.1", SMTP_PORT=port))
    assert found.verdict is Verdict.PROBLEM
    assert "SMTP_HOST" in found.remedy


def test_wrong_settings_end_the_examination(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("BILLWRIGHT_HOME", str(tmp_path))
    monkeypatch.setenv("PORT", "seventy")
    assert examine() == 1
    said = capsys.readouterr().out
    assert "PORT" in said
    assert "1 problems, 0 warnings" in said


def test_an_examination_of_a_fresh_machine_finds_no_problem(tmp_path, monkeypatch, capsys):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        monkeypatch.setenv("PORT", str(probe.getsockname()[1]))
    monkeypatch.setenv("BILLWRIGHT_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert examine() == 0
    assert "0 problems, 0 warnings" in capsys.readouterr().out
    assert not (tmp_path / "home").exists()
