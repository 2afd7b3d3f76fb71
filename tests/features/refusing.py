"""Which no is expected? The code, as programs go by it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from billwright.kernel.refusal import Refusal


@contextmanager
def refusing(code: str) -> Iterator[pytest.ExceptionInfo[Refusal]]:
    """A block that is refused with this code."""
    with pytest.raises(Refusal) as refused:
        yield refused
    assert refused.value.code == code
