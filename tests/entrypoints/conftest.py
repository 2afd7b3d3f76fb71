"""What do tests of processes stand on?"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.postgres import ServerInfo


@pytest.fixture
def fresh_database(postgres_server: ServerInfo, database_names: Iterator[str]) -> Iterator[str]:
    """The owner's address of an empty database that nobody has migrated."""
    name = next(database_names)
    postgres_server.execute(f'create database "{name}" owner billwright')
    yield postgres_server.dsn_for(name)
    postgres_server.drop_database(name)
