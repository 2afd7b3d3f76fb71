"""How are many access questions that arrive together answered?

By one statement: what comes in while a statement is on its way waits for the next one. A question
brings its own tenant, which is that of the authenticated caller and never of the request, because
the guarded function `read_entitlements` looks across tenants.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from uuid import UUID

from billwright.kernel.ids import TenantId
from billwright.runtime.db.database import Database

# A statement of this size takes few milliseconds, so that none waits long behind it.
_MOST_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Access:
    """What a subscription gives; `features` is the JSON text of its decisions, as it is stored, and
    `level` one of `AccessLevel`.
    """

    account_id: UUID
    version: int
    features: str
    level: str


class PointReads:
    """The access questions of one process, in one event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[tuple[TenantId, UUID, asyncio.Future[Access | None]]] = []
        self._answering: asyncio.Task[None] | None = None

    async def access_of(self, tenant_id: TenantId, subscription_id: UUID) -> Access | None:
        """What a subscription of the tenant gives; none when it gives nothing or does not exist."""
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append((tenant_id, subscription_id, answer))
        if self._answering is None:
            # The task begins when the loop comes round, after whatever else this turn brings.
            self._answering = asyncio.create_task(self._answer_all())
        access: Access | None = await answer
        return access

    async def _answer_all(self) -> None:
        try:
            while self._waiting:
                asked = self._waiting[:_MOST_AT_ONCE]
                del self._waiting[:_MOST_AT_ONCE]
                await self._answer(asked)
        finally:
            self._answering = None

    async def _answer(
        self, asked: list[tuple[TenantId, UUID, asyncio.Future[Access | None]]]
    ) -> None:
        try:
            rows = await self._database.unscoped(
                """select tenant_id, subscription_id, account_id, version, features, access
                   from read_entitlements($1::uuid[], $2::uuid[])""",
                [tenant_id for tenant_id, _, _ in asked],
                [subscription_id for _, subscription_id, _ in asked],
            )
        except Exception as error:  # noqa: BLE001 - each of those who asked is told
            for _, _, answer in asked:
                if not answer.done():
                    answer.set_exception(error)
            return
        found = {(row[0], row[1]): Access(row[2], row[3], row[4], row[5]) for row in rows}
        for tenant_id, subscription_id, answer in asked:
            if not answer.done():
                answer.set_result(found.get((tenant_id, subscription_id)))
