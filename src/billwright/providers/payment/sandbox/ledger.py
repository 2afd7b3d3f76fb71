"""What has the sandbox done so far?

In one file that all processes of an installation share, or in memory where there is no file. Whoever
looks is alone with the books until they let go of them, so that two processes never decide differently.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import msgspec

from billwright.features.payment_providers.model import AttemptState, Decline, DisputeState
from billwright.features.payment_providers.port import SavedMethod
from billwright.kernel.money import Money
from billwright.providers.payment.sandbox.behaviors import Behavior
from billwright.providers.payment.sandbox.cards import DEFAULT_CARD
from billwright.runtime.db.json import to_json
from billwright.runtime.settings import create_own_folder

_TABLES = (
    """create table if not exists entry (number integer primary key, reference text not null unique,
           provider_key text not null unique, kind text not null, state text not null,
           created_at text not null, body text not null)""",
    "create table if not exists untold (number integer primary key, body text not null)",
    "create table if not exists fact (name text primary key, value text not null)",
)
_WAITS_SECONDS = 10
_PAGE_SIZE = 100


@dataclass(slots=True, kw_only=True)
class Entry:
    """A payment, setup or refund; `decided_at` is when one that is processing is decided by itself.

    `url` is the page on which a payer decides, and the other two where they go from it; `expires_at` is
    when it closes. `card` is the one that the payer leaves.
    """

    reference: str
    provider_key: str
    kind: str
    tenant_id: UUID | None
    state: AttemptState
    behavior: Behavior
    created_at: datetime
    amount: Money | None = None
    failure_code: str | None = None
    decline: Decline | None = None
    saved_method: SavedMethod | None = None
    saves_method: bool = False
    card: str = DEFAULT_CARD
    payment_reference: str | None = None
    url: str | None = None
    success_url: str | None = None
    cancel_url: str | None = None
    expires_at: datetime | None = None
    decided_at: datetime | None = None
    refunded_minor: int = 0
    dispute: DisputeState | None = None
    is_made_there: bool = False


class Books:
    """The ledger while it is held; whatever changes in its entries is kept at the end."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._held: dict[str, Entry] = {}

    def by_key(self, provider_key: str) -> Entry | None:
        """The entry that was asked for under a key."""
        return self._first("select body from entry where provider_key = ?", value=provider_key)

    def by_reference(self, reference: str) -> Entry | None:
        """The entry that the sandbox has given a name."""
        return self._first("select body from entry where reference = ?", value=reference)

    def undecided(self) -> list[Entry]:
        """What time may change, the oldest first."""
        return self._all(
            """select body from entry where state in ('processing', 'requires_action')
               order by number"""
        )

    def made(self, kind: str, *, since: datetime, until: datetime, after: str = "") -> list[Entry]:
        """The next entries of a kind and a time, the oldest first, `after` the one of that reference."""
        return self._all(
            """select body from entry where kind = ? and created_at >= ? and created_at < ?
                   and number > coalesce((select number from entry where reference = ?), 0)
               order by number limit ?""",
            kind,
            _sortable(since),
            _sortable(until),
            after,
            _PAGE_SIZE,
        )

    def add(self, entry: Entry) -> Entry:
        self._connection.execute(
            """insert into entry (reference, provider_key, kind, state, created_at, body)
               values (?, ?, ?, ?, ?, ?)""",
            (
                entry.reference,
                entry.provider_key,
                entry.kind,
                entry.state,
                _sortable(entry.created_at),
                to_json(entry),
            ),
        )
        return self._hold(entry)

    def tell(self, body: bytes) -> None:
        """Keep an event until somebody takes it."""
        self._connection.execute("insert into untold (body) values (?)", (body.decode(),))

    def take_untold(self) -> list[bytes]:
        """Every event since the last time, the oldest first."""
        rows = self._connection.execute("select body from untold order by number").fetchall()
        self._connection.execute("delete from untold")
        return [body.encode() for (body,) in rows]

    def happens_first(self, name: str) -> bool:
        """Whether something of this name has not happened before."""
        return self._remember(name, value="")

    def has_happened(self, name: str) -> bool:
        """Whether something of this name has happened."""
        found = self._connection.execute("select 1 from fact where name = ?", (name,))
        return found.fetchone() is not None

    def callback_secret(self) -> str:
        """The secret of this ledger, which nobody else has."""
        self._remember("callback_secret", value=secrets.token_hex(32))
        row = self._connection.execute("select value from fact where name = 'callback_secret'")
        return str(row.fetchone()[0])

    def keep(self) -> None:
        """Write down how the entries stand that were looked at."""
        self._connection.executemany(
            "update entry set state = ?, body = ? where reference = ?",
            [(each.state, to_json(each), each.reference) for each in self._held.values()],
        )

    def moved_minor(self) -> int:
        """All money taken and not given back, in minor units."""
        paid = self._all("select body from entry where kind = 'payment' and state = 'succeeded'")
        return sum(
            entry.amount.amount_minor - entry.refunded_minor for entry in paid if entry.amount
        )

    def _first(self, query: str, *, value: str) -> Entry | None:
        found = self._all(query, value)
        return found[0] if found else None

    def _all(self, query: str, *values: str | int) -> list[Entry]:
        rows = self._connection.execute(query, values).fetchall()
        return [self._hold(msgspec.json.decode(body, type=Entry)) for (body,) in rows]

    def _hold(self, entry: Entry) -> Entry:
        """One object for one entry, so that a change is seen wherever it is looked at."""
        return self._held.setdefault(entry.reference, entry)

    def _remember(self, name: str, *, value: str) -> bool:
        stored = self._connection.execute(
            "insert or ignore into fact (name, value) values (?, ?)", (name, value)
        )
        return stored.rowcount == 1


class Ledger:
    """Everything that one installation plays with, in a file of its home; without one, in memory."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._memory = _connected(":memory:") if path is None else None
        if self._memory is not None:
            weakref.finalize(self, self._memory.close)

    @contextmanager
    def held(self) -> Iterator[Books]:
        """The books, for nobody else meanwhile; what raises inside leaves no trace."""
        if self._memory is not None:
            with _alone(self._memory) as books:
                yield books
            return
        # Opened anew, which takes less than a millisecond, so that nothing is left open.
        with closing(self._opened()) as connection, _alone(connection) as books:
            yield books

    @property
    def moved_minor(self) -> int:
        """All money taken and not given back, in minor units."""
        with self.held() as books:
            return books.moved_minor()

    def _opened(self) -> sqlite3.Connection:
        if self._path is None:
            raise RuntimeError("a ledger in memory has no file")
        create_own_folder(self._path.parent)
        # It holds a secret; SQLite would create it for everybody to read.
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        return _connected(str(self._path))


def _connected(place: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        place, timeout=_WAITS_SECONDS, isolation_level=None, check_same_thread=False
    )
    # Nothing is lost that anybody would miss if the machine stops.
    connection.execute("pragma synchronous = off")
    return connection


@contextmanager
def _alone(connection: sqlite3.Connection) -> Iterator[Books]:
    connection.execute("begin immediate")
    try:
        for table in _TABLES:
            connection.execute(table)
        books = Books(connection)
        yield books
        books.keep()
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")


def _sortable(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
