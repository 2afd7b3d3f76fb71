"""Which request, job and tenant is this code running for?

One immutable mapping in one context variable: a task inherits it, and every log line carries it. The
client's address is beside it, because it belongs into the audit log and not into every line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import NamedTuple

log_context: ContextVar[Mapping[str, object]] = ContextVar(
    "billwright_log_context", default=MappingProxyType({})
)

client_address: ContextVar[str | None] = ContextVar("billwright_client_address", default=None)
"""From where the request being answered came; none outside a request."""


class Origin(NamedTuple):
    """By which request something was asked for, and from where; neither in a job or a command."""

    address: str | None
    request_id: str | None


@contextmanager
def bound(**values: object) -> Iterator[None]:
    """Add `values` to every log line written inside, for example `job="renew"` or `tenant=...`."""
    token = log_context.set({**log_context.get(), **values})
    try:
        yield
    finally:
        log_context.reset(token)


def request_id() -> str | None:
    """The id of the request being answered; none outside a request."""
    value = log_context.get().get("request_id")
    return value if isinstance(value, str) else None


def origin() -> Origin:
    """What the audit log says of the request being answered."""
    return Origin(client_address.get(), request_id())
