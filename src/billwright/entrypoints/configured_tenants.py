"""Which tenants of the settings does an installation still lack, and how do they come to be?

In development each begins with a demo seller, so that it can be tried at once. In production nobody but
the operator knows the seller, and is told what to do.
"""

from __future__ import annotations

import sys

from billwright.runtime.db.inspection import missing_tenants
from billwright.runtime.settings import DEFAULT_TENANT, Settings


async def create_missing_tenants(settings: Settings, *, dsn: str) -> None:
    """Create what TENANTS says and a migrated database has not, which is asked as its owner. Of several
    processes that start at once, one creates each tenant.
    """
    missing = await missing_tenants(dsn, settings.tenants)
    if settings.environment == "production":
        _ask_for([code for code in missing if code != DEFAULT_TENANT])
    elif missing:
        # Loads the features, which a later start does not need here.
        from billwright.entrypoints.demo_seller import create_demo_sellers  # noqa: PLC0415

        await create_demo_sellers(dsn, missing, home=settings.billwright_home)


def _ask_for(codes: list[str]) -> None:
    """The platform API alone needs no list, so that nobody is asked for `default`."""
    for code in codes:
        sys.stderr.write(
            f"TENANTS names {code}, which does not exist yet. Describe its seller in a file, and run: "
            f"billwright tenant create {code} --seller seller.toml\n"
        )
