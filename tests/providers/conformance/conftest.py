"""Which provider is asked?"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.providers.conformance.rigs import Rig, rigged


@pytest_asyncio.fixture
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    """The one that `rigs` names."""
    async with rigged(request.param) as rig:
        yield rig
