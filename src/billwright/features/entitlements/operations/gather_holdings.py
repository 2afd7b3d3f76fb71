"""What do accounts have at an instant that their access follows from?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import TypeVar
from uuid import UUID

from billwright.features.accounts.errors import account_unknown
from billwright.features.accounts.sql.reads import account_times
from billwright.features.catalog.sql.reads import plan_versions
from billwright.features.catalog.sql.reads_features import features_of_access
from billwright.features.entitlements.model import Granted, Override
from billwright.features.entitlements.rules.decide import Holdings
from billwright.features.entitlements.sql.reads import granted_to, restrictions_of, sources_of
from billwright.features.entitlements.sql.reads_overrides import overrides_of
from billwright.kernel.quick import quickly_made
from billwright.runtime.db.tx import Tx

Held = TypeVar("Held", Override, Granted)


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What an account has, until when nothing of it begins or ends, and its test clock."""

    holdings: Holdings
    valid_until: datetime | None
    test_clock_id: UUID | None


async def gather_holdings(tx: Tx, account_ids: Sequence[UUID], *, at: datetime) -> list[Gathered]:
    """What each of these accounts has at an instant, in a constant number of queries.

    Refuses: `account_unknown`.
    """
    times = await account_times(tx, account_ids)
    for account_id in account_ids:
        if account_id not in times:
            raise account_unknown(account_id=account_id)
    sources = await sources_of(tx, account_ids)
    overrides = await overrides_of(tx, account_ids, after=at)
    grants = await granted_to(tx, account_ids, after=at)
    restrictions = await restrictions_of(tx, account_ids)
    versions = await plan_versions(
        tx, [source.plan_version_id for source in chain.from_iterable(sources.values())]
    )
    codes = {feature.code for version in versions.values() for feature in version.features}
    codes |= {one.feature for one in chain.from_iterable(overrides.values())}
    codes |= {one.feature for one in chain.from_iterable(grants.values())}
    features = await features_of_access(tx, codes)
    return [
        Gathered(
            holdings=Holdings(
                account_id=account_id,
                zone=times[account_id].zone,
                sources=sources.get(account_id, ()),
                versions=versions,
                features=features,
                overrides=_begun(overrides.get(account_id, ()), at),
                grants=_begun(grants.get(account_id, ()), at),
                restrictions=restrictions.get(account_id, ()),
            ),
            valid_until=_next_change(
                (*overrides.get(account_id, ()), *grants.get(account_id, ())), at
            ),
            test_clock_id=times[account_id].test_clock_id,
        )
        for account_id in account_ids
    ]


def _begun(held: Iterable[Held], at: datetime) -> list[Held]:
    return [one for one in held if one.effective_at <= at]


def _next_change(held: Iterable[Override | Granted], at: datetime) -> datetime | None:
    """When the next of these begins or ends."""
    instants = [
        instant
        for one in held
        for instant in (one.effective_at, one.ends_at)
        if instant is not None and instant > at
    ]
    return min(instants, default=None)
