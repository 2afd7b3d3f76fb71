"""Where could a secret be read by somebody who is not meant to?"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import asyncpg


@dataclass(frozen=True, slots=True)
class Leak:
    """A secret, by its name, and where it lies."""

    secret: str
    place: str


@dataclass(slots=True)
class Watch:
    """Knows the secrets, and looks for each of them in every form that needs no key to undo."""

    secrets: dict[str, str]
    answers: list[tuple[str, str]] = field(default_factory=list)

    def leaks_in(self, text: str, *, place: str) -> set[Leak]:
        return {
            Leak(name, place)
            for name, secret in self.secrets.items()
            if any(form in text for form in _forms(secret.encode()))
        }

    def leaks_in_answers(self, meant: Mapping[str, str]) -> set[Leak]:
        """What answers tell; `meant` is the secret that a route is there to hand out, by its end."""
        return {
            leak
            for route, text in self.answers
            for leak in self.leaks_in(text, place=route)
            if not any(
                route.endswith(ending) and leak.secret == name for ending, name in meant.items()
            )
        }

    async def leaks_in_database(self, dsn: str) -> set[Leak]:
        """Every column of every table, those of the queue included, with all rows of all tenants."""
        connection = await asyncpg.connect(dsn)
        try:
            tables = await connection.fetch(
                """select format('%I.%I', n.nspname, c.relname) as name from pg_class c
                   join pg_namespace n on n.oid = c.relnamespace
                   where c.relkind in ('r', 'p') and n.nspname not in
                       ('pg_catalog', 'information_schema', 'pg_toast')"""
            )
            leaks: set[Leak] = set()
            for (table,) in tables:
                for (row,) in await connection.fetch(f"select to_jsonb(t)::text from {table} t"):
                    leaks |= self.leaks_in(row, place=table)
            return leaks
        finally:
            await connection.close()


def _forms(secret: bytes) -> set[str]:
    """As it is, as JSON escapes it, in hexadecimal, in base64 wherever it begins in a longer text, and
    as a digest that anybody could make.
    """
    forms = {secret.decode(), secret.hex(), hashlib.sha256(secret).hexdigest()}
    for shift in range(3):
        # The symbols at both ends depend on the neighbors.
        encoded = base64.b64encode(bytes(shift) + secret)[4 if shift else 0 :]
        inner = encoded[: len(encoded) // 4 * 4 - 4].decode()
        forms |= {inner, inner.replace("+", "-").replace("/", "_")}
    return forms
