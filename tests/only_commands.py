"""Does anything but a command write subscription rows?

In every test of the suite no transaction can: the database itself asks, at each commit, for the audit
entry of a command on the very subscription that was written.
"""

from __future__ import annotations

import asyncio

import asyncpg

from billwright.runtime.db.migrate import migrate
from billwright.runtime.db.tx import Tx

_ASK = """
    create schema only_commands;
    grant usage on schema only_commands to billwright_app;
    create function only_commands.require_audit_entry() returns trigger language plpgsql as $$
    begin
        -- The owner of the tables fills them for tests of indexes; the application is another role.
        if current_user = 'billwright_app'
            and coalesce(current_setting('only_commands.by_hand', true), '') = '' and not exists (
            select from public.audit_entry a
            where a.tenant_id = new.tenant_id and a.subject_id = new.id
                and a.action like 'subscription.%'
                and a.xmin = pg_current_xact_id()::xid
        ) then
            raise exception 'subscription % was written without a command', new.id
                using errcode = 'integrity_constraint_violation';
        end if;
        return null;
    end
    $$;
    create constraint trigger only_commands after insert or update on subscription
        deferrable initially deferred for each row
        execute function only_commands.require_audit_entry();
"""


def migrate_and_watch(dsn: str) -> None:
    """Bring a database of tests to the newest schema, where only commands write subscription rows."""
    asyncio.run(_migrate_and_watch(dsn))


async def _migrate_and_watch(dsn: str) -> None:
    await migrate(dsn)
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(_ASK)
    finally:
        await connection.close()


async def allow_writing_by_hand(tx: Tx) -> None:
    """Let this transaction write subscription rows without a command, as only a test does that needs
    damage, a crowd, or a row that nobody serves.
    """
    await tx.execute("set local only_commands.by_hand = on")
