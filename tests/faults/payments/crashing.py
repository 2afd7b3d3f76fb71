"""How does a process die between any two statements?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from billwright.runtime.db.database import Database
from billwright.runtime.db.tx import Tx


class Killed(BaseException):
    """The process is no more. No part of the product catches this."""


class CrashingDatabase(Database):
    """The product's database, for a process that dies before the n-th statement from now on, or just
    after that many were sent. Whoever is dead stays dead until it is started again.
    """

    _left: int | None = None
    _dead = False

    def die_after(self, statements: int | None) -> None:
        self._left, self._dead = statements, False

    def tick(self) -> None:
        if self._dead:
            raise Killed
        if self._left is None:
            return
        if self._left == 0:
            self._dead = True
            raise Killed
        self._left -= 1

    @asynccontextmanager
    async def tx(self, *given: Any, **named: Any) -> AsyncIterator[Tx]:
        self.tick()
        async with super().tx(*given, **named) as tx:
            tx._connection = _Connection(tx._connection, self)
            yield tx
        self.tick()

    async def _outbox_then_tick(self, connection: Any, tx: Tx) -> None:
        await self._drawn(connection, tx)
        self.tick()

    def crash_at_commits_too(self) -> None:
        """Let the moment between the last statement and the commit be one of those to die at."""
        self._drawn = self._outbox
        self._outbox = self._outbox_then_tick


class _Connection:
    """A connection whose statements count."""

    def __init__(self, connection: Any, database: CrashingDatabase) -> None:
        self._connection = connection
        self._database = database

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def fetch(self, sql: str, *values: Any) -> Any:
        self._database.tick()
        return await self._connection.fetch(sql, *values)

    async def fetchrow(self, sql: str, *values: Any) -> Any:
        self._database.tick()
        return await self._connection.fetchrow(sql, *values)

    async def fetchval(self, sql: str, *values: Any) -> Any:
        self._database.tick()
        return await self._connection.fetchval(sql, *values)

    async def execute(self, sql: str, *values: Any) -> Any:
        self._database.tick()
        return await self._connection.execute(sql, *values)
