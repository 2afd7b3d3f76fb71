"""Does an installation have the tenants that its settings name, without anybody creating them?"""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import asyncpg
import httpx2
import pytest

from billwright.entrypoints.configured_tenants import create_missing_tenants
from billwright.features.identity.operations.authenticate import authenticate
from billwright.runtime.db.database import Database
from billwright.runtime.settings import Settings, load_settings
from billwright.surfaces.cli.demo_key import read_demo_key
from tests.entrypoints.installation import (
    billwright,
    eventually,
    free_port,
    process,
)

PRODUCTION = {
    "BILLWRIGHT_ENVIRONMENT": "production",
    "ENCRYPTION_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
}


def settings_with(home: Path, **variables: str) -> Settings:
    return load_settings({"BILLWRIGHT_HOME": str(home), **variables})


async def tenants_of(dsn: str) -> list[str]:
    """The codes of all tenants, each as often as it has a seller."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(
            "select t.code from tenant t join seller s using (tenant_id) order by t.created_at, t.code"
        )
        return [row["code"] for row in rows]
    finally:
        await connection.close()


async def test_each_begins_like_the_default_with_a_key_of_its_own(
    database: Database, migrated_database: str, tmp_path: Path
):
    home = tmp_path / "home"
    await create_missing_tenants(settings_with(home), dsn=migrated_database)
    assert await tenants_of(migrated_database) == ["default"]
    first = read_demo_key(home, "default")
    await create_missing_tenants(settings_with(home, TENANTS="north,South"), dsn=migrated_database)
    assert await tenants_of(migrated_database) == ["default", "north", "South"]
    assert read_demo_key(home, "default") == first
    for code in ("default", "north", "South"):
        caller = await authenticate(database, read_demo_key(home, code) or "")
        assert caller.tenant_id == await database.tenant_by_code(code)


async def test_processes_that_start_at_once_create_each_tenant_once(
    database: Database, migrated_database: str, tmp_path: Path
):
    settings = settings_with(tmp_path / "home", TENANTS="north,south")
    await asyncio.gather(
        *(create_missing_tenants(settings, dsn=migrated_database) for _ in range(5))
    )
    assert sorted(await tenants_of(migrated_database)) == ["default", "north", "south"]
    for code in settings.tenants:
        caller = await authenticate(database, read_demo_key(tmp_path / "home", code) or "")
        assert caller.tenant_id == await database.tenant_by_code(code)


async def test_without_a_default_none_is_created(migrated_database: str, tmp_path: Path):
    settings = settings_with(tmp_path / "home", TENANTS="north", TENANTS_ALLOW_DEFAULT="false")
    await create_missing_tenants(settings, dsn=migrated_database)
    assert await tenants_of(migrated_database) == ["north"]
    assert (tmp_path / "home" / "demo-north.key").stat().st_mode & 0o777 == 0o600


async def test_production_invents_no_seller_and_says_what_to_do(
    migrated_database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    settings = settings_with(tmp_path / "home", TENANTS="north", **PRODUCTION)
    await create_missing_tenants(settings, dsn=migrated_database)
    assert await tenants_of(migrated_database) == []
    told = capsys.readouterr().err
    assert "billwright tenant create north --seller" in told
    assert "default" not in told


@pytest.mark.timeout(600)
async def test_they_are_there_after_a_migration_and_after_a_start(
    fresh_database: str, tmp_path: Path
):
    """`west` is new when the API starts."""
    home, port = tmp_path / "home", free_port()
    variables = {"DATABASE_URL": fresh_database, "PORT": str(port)}
    migrate = partial(billwright, "migrate", home=home, **variables, TENANTS="north,south")
    migrated = await asyncio.gather(*(asyncio.to_thread(migrate) for _ in range(2)))
    assert [one.returncode for one in migrated] == [0, 0], [one.stderr for one in migrated]
    assert sorted(await tenants_of(fresh_database)) == ["default", "north", "south"]
    named = "north,south,west"
    with process("api", home, **variables, TENANTS=named) as (_, log):
        assert await asyncio.to_thread(
            eventually, lambda: "Started server process" in log.read_text()
        ), log.read_text()
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}/api") as client:
            for code in ("default", "north", "south", "west"):
                answer = await client.get("/config", headers={"X-Tenant": code})
                assert (answer.status_code, answer.json()["billing"]["tenantId"]) == (200, code)


async def test_a_migration_alone_invents_no_tenant(fresh_database: str, tmp_path: Path):
    migrated = billwright("migrate", home=tmp_path / "home", DATABASE_URL=fresh_database)
    assert migrated.returncode == 0, migrated.stderr
    assert await tenants_of(fresh_database) == []


@pytest.mark.parametrize("code", ["-south", "no rth", "\u212aelvin"])
def test_a_code_that_cannot_be_one_is_refused_at_the_start(tmp_path: Path, code: str):
    refused = billwright("migrate", home=tmp_path / "home", TENANTS=f"north,{code}")
    assert refused.returncode == 1
    assert "TENANTS: " in refused.stderr
    assert "Traceback" not in refused.stderr
