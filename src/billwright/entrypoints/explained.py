"""Which failures are the operator's to fix, and are therefore told without a traceback?"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from billwright.entrypoints.listening import AddressUnusable
from billwright.runtime.db.embedded import EmbeddedPostgresError
from billwright.runtime.db.inspection import DatabaseUnusable
from billwright.runtime.secrets import KeyUnusable
from billwright.runtime.settings import SettingsError

_EXPLAINED = (
    AddressUnusable,
    DatabaseUnusable,
    EmbeddedPostgresError,
    KeyUnusable,
    SettingsError,
)
EXIT_CODE = 1


@contextmanager
def explained() -> Iterator[None]:
    """End the process with the text of such a failure; anything else is a bug and keeps its trace."""
    try:
        yield
    except _EXPLAINED as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(EXIT_CODE) from None
