"""How many people sign in a second, and who waits for them?"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import asyncpg

from benchmarks.database import migrated_database
from benchmarks.results import Row, duration, rate
from benchmarks.serving import api_server
from benchmarks.sign_in_load import SignInTask, measure_sign_ins
from billwright.features.identity.operations.passwords import hash_password, password_is
from billwright.kernel.ids import new_id
from billwright.runtime.db.embedded import EmbeddedPostgres

_USERS = 5_000
_CLIENTS = 16
_PASSWORD = "correct horse battery staple"
_HASHES = 20


def sign_ins(server: EmbeddedPostgres, *, home: Path, seconds: float) -> list[Row]:
    """Sixteen clients that sign in without a pause, beside the same number of password hashes without
    anything else; and a question about the server's health meanwhile, beside one that nobody disturbs.
    """
    dsn = migrated_database(server, "sign_in")
    per_second = asyncio.run(_create_users(dsn))
    with api_server(dsn, home=home) as port:
        busy = SignInTask(port, _USERS, _PASSWORD, clients=_CLIENTS, seconds=seconds)
        alone = measure_sign_ins(replace(busy, clients=0))
        measured = measure_sign_ins(busy)
    return [
        rate(
            "sign in",
            measured.per_second,
            unit="sign-ins/s",
            ceiling=per_second,
            ceiling_name="verifying a password, one after another",
        ),
        duration(
            f"health while {_CLIENTS} sign in, p99",
            measured.health_p99_milliseconds,
            unit="ms",
            ceiling=alone.health_p99_milliseconds,
            ceiling_name="the same while nobody does",
        ),
    ]


async def _create_users(dsn: str) -> float:
    """Users who all have the same password; how many times a second it can be verified."""
    stored = await hash_password(_PASSWORD)
    started = perf_counter()
    for _ in range(_HASHES):
        await password_is(_PASSWORD, stored=stored)
    per_second = _HASHES / (perf_counter() - started)
    connection = await asyncpg.connect(dsn)
    try:
        tenant_id = new_id()
        await connection.execute(
            "insert into tenant (tenant_id, code, name, created_at) values ($1, 'default', 'D', now())",
            tenant_id,
        )
        await connection.execute(
            """insert into app_user (tenant_id, id, email, role, locale, password_hash,
                   email_confirmed_at, created_at, updated_at)
               select $1, gen_random_uuid(), 'user' || n || '@example.com', 'user', 'en', $2, now(),
                   now(), now()
               from generate_series(0, $3 - 1) as n""",
            tenant_id,
            stored,
            _USERS,
        )
    finally:
        await connection.close()
    return per_second
