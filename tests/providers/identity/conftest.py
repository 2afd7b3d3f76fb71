"""What do tests of identity providers stand on?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from billwright.features.identity.port import TokenIssuer
from billwright.runtime.clock import FixedClock
from tests.providers.identity.fake_issuer import FakeIssuer, fake_issuer, issuer_of


@pytest_asyncio.fixture
async def fake(clock: FixedClock) -> AsyncIterator[FakeIssuer]:
    async with fake_issuer(clock) as fake:
        yield fake


@pytest.fixture
def issuer(fake: FakeIssuer, tmp_path: Path) -> TokenIssuer:
    return issuer_of(fake, tmp_path)
