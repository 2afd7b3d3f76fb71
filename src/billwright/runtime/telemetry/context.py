"""Which request, job and tenant is this code running for?

One immutable mapping in one context variable: a task inherits it, and every log line carries it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

log_context: ContextVar[Mapping[str, object]] = ContextVar(
    "billwright_log_context", default=MappingProxyType({})
)


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
