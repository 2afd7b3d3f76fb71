"""Whose address does the server believe?"""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest

from tests.entrypoints.installation import eventually, free_port, process

pytestmark = pytest.mark.timeout(600)

CLIENT = "203.0.113.9"


@pytest.mark.parametrize(
    ("believed", "forwarded", "counted_as"),
    [
        ("10.0.0.5", "198.51.100.{n}", "one"),
        ("127.0.0.1", "198.51.100.{n}", "many"),
        # What the client itself says stands before what the proxy adds.
        ("127.0.0.1", f"198.51.100.{{n}}, {CLIENT}", "one"),
        ("10.0.0.0/8, 127.0.0.1", f"198.51.100.{{n}}, {CLIENT}, 10.1.2.3", "one"),
    ],
)
def test_an_address_is_that_of_the_connection_unless_a_known_proxy_says_another(
    tmp_path: Path, migrated_database: str, believed: str, forwarded: str, counted_as: str
):
    port = free_port()
    variables = {
        "DATABASE_URL": migrated_database,
        "PORT": str(port),
        "FORWARDED_ALLOW_IPS": believed,
        "RATE_LIMIT_ENABLED": "true",
        "RATE_LIMIT_LIMIT": "3",
    }
    with process("api", tmp_path / "home", **variables) as (_, log):
        assert eventually(lambda: "Started server process" in log.read_text()), log.read_text()
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}/api") as client:
            answers = [
                client.get("/config", headers={"X-Forwarded-For": forwarded.format(n=n)})
                for n in range(4)
            ]
    last = 429 if counted_as == "one" else 200
    assert [answer.status_code for answer in answers] == [200, 200, 200, last]
