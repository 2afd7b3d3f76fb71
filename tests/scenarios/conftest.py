"""Who appears in the golden cases?"""

from __future__ import annotations

import pytest_asyncio

from billwright.runtime.clock import FixedClock
from tests.conftest import Tenant
from tests.scenarios.golden import Story


@pytest_asyncio.fixture
async def story(tenant: Tenant, clock: FixedClock) -> Story:
    """A seller without taxes, whose sums are those of its lines; nothing has happened yet."""
    story = Story(tenant, clock)
    await story.seller(small_business_exempt=True, zone="UTC")
    return story
