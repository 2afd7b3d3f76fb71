"""Does a whole installation start, work and end from one command, whatever happens to it?"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.entrypoints.installation import (
    billwright,
    eventually,
    free_port,
    running,
    servers_of,
)
from tests.postgres import reachable_folder

pytestmark = pytest.mark.timeout(900)  # several processes start and end in each


SELLER = """
currency = "EUR"
zone = "Europe/Berlin"
[party]
name = "Example Software GmbH"
address = {line1 = "Musterstraße 1", postal_code = "10115", city = "Berlin", country = "DE"}
"""


@pytest.fixture
def home() -> Iterator[Path]:
    with reachable_folder() as folder:
        yield folder / "home"


def accounts_status(installation) -> int:
    return installation.ask("/api/billing/accounts", Authorization=f"Bearer {installation.key}")[0]


def test_from_an_empty_home_through_the_demo_to_ctrl_c(home: Path):
    with running(home) as installation:
        port = str(installation.port)
        for part in (f"http://127.0.0.1:{port}/api/docs", installation.key, str(home)):
            assert part in installation.introduction
        assert (home / "demo.key").stat().st_mode & 0o777 == 0o600
        assert installation.ask("/api/health")[1]["status"] == "ok"
        assert accounts_status(installation) == 200

        for run in (1, 2):
            demo = billwright("demo", home=home, PORT=port)
            assert demo.returncode == 0, demo.stdout + demo.stderr
            assert (
                f"the numbers of all {16 * run} documents of this seller have no gap" in demo.stdout
            )
        (pdf, _) = sorted((home.parent / "billwright-demo").iterdir())
        assert pdf.read_bytes().startswith(b"%PDF-")

        second = billwright("up", home=home, PORT=port)
        assert second.returncode == 1
        assert f"already running on {home} (process {installation.process.pid})" in second.stderr
        assert "Traceback" not in second.stderr

        doctor = billwright("doctor", home=home, PORT=port)
        assert doctor.returncode == 0, doctor.stdout
        assert "Billwright answers there" in doctor.stdout

        installation.send_to_group(signal.SIGINT)
        code, errors = installation.ended()
    assert code == 0, errors
    assert "Traceback" not in errors
    assert servers_of(home) == []


def test_a_killed_group_starts_again_with_its_data(home: Path):
    with running(home) as installation:
        key = installation.key
        installation.send_to_group(signal.SIGKILL)
        assert installation.ended()[0] == -signal.SIGKILL
    with running(home) as installation:
        assert installation.key == key
        assert accounts_status(installation) == 200
        # The parent alone: neither its children nor its database outlive it.
        os.kill(installation.process.pid, signal.SIGKILL)
        installation.process.wait()
        port = installation.port
        assert eventually(lambda: servers_of(home) == [])
        assert eventually(lambda: not answers(port))
    with running(home, port=port) as installation:
        assert accounts_status(installation) == 200
        installation.process.send_signal(signal.SIGTERM)
        assert installation.ended()[0] == 0


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("role", ["api", "worker"])
def test_when_a_part_dies_everything_ends(home: Path, role: str):
    with running(home) as installation:
        children = installation.children()
        assert set(children) == {"api", "worker"}
        os.kill(children[role], signal.SIGKILL)
        code, errors = installation.ended()
    assert code == 128 + signal.SIGKILL
    assert f"The {role} has ended with code -9, so everything ends." in errors
    assert servers_of(home) == []
    assert not answers(installation.port)


def test_a_taken_port_is_refused_before_anything_runs(home: Path):
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        refused = billwright("up", home=home, PORT=str(port))
    assert refused.returncode == 1
    assert f"port {port}: Address already in use" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert servers_of(home) == []


def test_a_database_elsewhere_is_used_and_left_alone(home: Path, fresh_database: str):
    home.mkdir()
    with running(home, DATABASE_URL=fresh_database) as installation:
        assert accounts_status(installation) == 200
        assert not (home / "postgres").exists()
        installation.process.send_signal(signal.SIGTERM)
        assert installation.ended()[0] == 0
    unreachable = f"postgresql://somebody:hidden@127.0.0.1:{free_port()}/billing"
    refused = billwright("up", home=home, PORT=str(free_port()), DATABASE_URL=unreachable)
    assert refused.returncode == 1
    assert refused.stderr.startswith("The database cannot be reached: ")
    assert "hidden" not in refused.stderr
    assert "Traceback" not in refused.stderr


def test_production_begins_without_a_demo_seller_and_with_one_of_its_own(home: Path):
    settings = {
        "BILLWRIGHT_ENVIRONMENT": "production",
        "ENCRYPTION_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    }
    seller = home.parent / "seller.toml"
    seller.write_text(SELLER)
    early = billwright("tenant", "create", "north", "--seller", str(seller), home=home, **settings)
    assert early.returncode == 1
    assert early.stderr.startswith(f"No database runs on {home}.")
    with running(home, **settings) as installation:
        assert "demo" not in installation.introduction
        assert not (home / "demo.key").exists()
        demo = billwright("demo", home=home, PORT=str(installation.port))
        assert demo.returncode == 1
        assert "There is no API key" in demo.stdout

        created = billwright(
            "tenant", "create", "north", "--seller", str(seller), home=home, **settings
        )
        assert created.returncode == 0, created.stderr
        key = created.stdout.strip()
        bearer = {"Authorization": f"Bearer {key}"}
        assert installation.ask("/api/billing/accounts", **bearer)[0] == 200
        demo = billwright("demo", "--key", key, home=home, PORT=str(installation.port), **settings)
        assert demo.returncode == 0, demo.stdout + demo.stderr

        listed = billwright("key", "list", "north", home=home, **settings).stdout
        assert key not in listed
        key_id = listed.splitlines()[1].split()[0]
        revoked = billwright("key", "revoke", "north", key_id, home=home, **settings)
        assert revoked.returncode == 0, revoked.stderr
        assert eventually(lambda: installation.ask("/api/billing/accounts", **bearer)[0] == 401)
        for secret in (key, settings["ENCRYPTION_KEY"]):
            assert secret not in (home.parent / "errors").read_text()
