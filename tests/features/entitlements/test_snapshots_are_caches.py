"""Does losing any snapshot, at any moment of any history, change no answer?"""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from billwright.features.accounts.operations.update_account import UpdateAccount, update_account
from billwright.features.catalog.model import (
    Combination,
    FeatureDefinition,
    FeatureKind,
    FeatureTerms,
    PlanFeature,
)
from billwright.features.catalog.operations.update_feature import (
    UpdateFeature,
    set_feature_default,
    update_feature,
)
from billwright.features.entitlements.model import Restriction, RestrictionEffect
from billwright.features.entitlements.operations.create_override import (
    CreateOverride,
    create_override,
)
from billwright.features.entitlements.operations.fresh_snapshot import fresh_snapshot
from billwright.features.entitlements.operations.lift_restrictions import lift_restrictions
from billwright.features.entitlements.operations.remove_override import remove_override
from billwright.features.entitlements.operations.restrict_access import restrict_access
from billwright.features.entitlements.operations.settle_pools import current_pools
from billwright.features.entitlements.rules.pool import PoolKey
from billwright.features.subscriptions.jobs import renew_due_subscriptions
from billwright.features.subscriptions.model import CancellationMode
from billwright.features.subscriptions.operations.cancel_subscription import (
    CancelSubscription,
    cancel_subscription,
)
from billwright.features.subscriptions.operations.change_add_ons import AddAddOn, add_add_on
from billwright.features.subscriptions.operations.change_plan import ChangePlan, change_plan
from billwright.features.usage.model import NewUsage
from billwright.kernel.refusal import Refusal
from billwright.runtime.clock import FixedClock
from billwright.runtime.db.json import from_json
from tests.conftest import Tenant
from tests.features.billing import TEAM_FEATURES, a_plan, a_subscription, add_on, an_account
from tests.features.usage.recording import RecordUsage, record_usage

METERED = FeatureKind.METERED
MORE_CALLS = PlanFeature("api_calls", "Calls", METERED, "50", FeatureTerms(), "more")
KEPT = PlanFeature("sso", "SSO", FeatureKind.BOOLEAN, True, FeatureTerms(kept_when_unpaid=True))
VALUES: dict[str, tuple[Any, ...]] = {
    "api_calls": ("10", "5000", None),
    "region": ("us", "jp"),
    "sso": (True, False),
}


class History:
    """What happens to two accounts, and what they may use at each moment."""

    def __init__(self, tenant: Tenant, clock: FixedClock, chance: random.Random) -> None:
        self.tenant, self.clock, self.chance = tenant, clock, chance
        self.accounts: list[Any] = []
        self.subscriptions: list[Any] = []
        self.overrides: list[Any] = []
        self.debts: list[Any] = []

    async def begin(self) -> None:
        async with self.tenant.tx() as tx:
            more = add_on("more", "5.00")
            await a_plan(tx, "team", components=(more, add_on("base", "9.00")),
                         features=(*TEAM_FEATURES, MORE_CALLS))  # fmt: skip
            await a_plan(tx, "solo", components=(more,), features=(KEPT, MORE_CALLS))
            self.accounts = [await an_account(tx) for _ in range(2)]

    async def subscribe(self, tx: Any) -> None:
        code = self.chance.choice(("team", "solo"))
        units = {"more": Decimal(self.chance.choice((1, 3)))} if self.chance.random() < 0.5 else {}
        account = self.chance.choice(self.accounts)
        made = await a_subscription(tx, account, code, quantities={"more": Decimal(1)} | units)
        self.subscriptions.append(made.subscription)

    async def change(self, tx: Any) -> None:
        subscription = self.chance.choice(self.subscriptions)
        code = self.chance.choice(("team", "solo"))
        await change_plan(tx, ChangePlan(subscription_id=subscription.id, plan_code=code))

    async def extend(self, tx: Any) -> None:
        subscription = self.chance.choice(self.subscriptions)
        await add_add_on(tx, AddAddOn(subscription_id=subscription.id, component_code="base"))

    async def end(self, tx: Any) -> None:
        subscription = self.chance.choice(self.subscriptions)
        now = CancellationMode.NOW
        await cancel_subscription(tx, CancelSubscription(subscription_id=subscription.id, mode=now))

    async def override(self, tx: Any) -> None:
        code = self.chance.choice(list(VALUES))
        subscription = self.chance.choice(self.subscriptions)
        begins = tx.now + timedelta(days=self.chance.choice((0, 0, 4)))
        lasts = self.chance.choice((None, timedelta(days=9)))
        made = await create_override(
            tx,
            CreateOverride(
                account_id=subscription.account_id,
                subscription_id=self.chance.choice((None, subscription.id)),
                feature_code=code,
                definition=FeatureDefinition(value=self.chance.choice(VALUES[code])),
                reason="agreed",
                effective_at=begins,
                expires_at=None if lasts is None else begins + lasts,
            ),
        )
        self.overrides.append(made)

    async def remove(self, tx: Any) -> None:
        await remove_override(tx, self.chance.choice(self.overrides).id)

    async def restrict(self, tx: Any) -> None:
        subscription = self.chance.choice(self.subscriptions)
        debt = Restriction(
            cause_id=uuid4(),
            account_id=subscription.account_id,
            subscription_id=self.chance.choice((None, subscription.id)),
            effect=self.chance.choice(list(RestrictionEffect)),
        )
        await restrict_access(tx, [debt])
        self.debts.append(debt)

    async def lift(self, tx: Any) -> None:
        await lift_restrictions(tx, self.chance.choice(self.debts).cause_id)

    async def use(self, tx: Any) -> None:
        subscription = self.chance.choice(self.subscriptions)
        event = NewUsage(
            source="api",
            event_id=str(uuid4()),
            meter="api_calls",
            quantity=Decimal(self.chance.randint(1, 40)),
            occurred_at=tx.now - timedelta(hours=self.chance.randint(0, 40)),
        )
        own = {"account_id": subscription.account_id, "subscription_id": subscription.id}
        await record_usage(tx, RecordUsage(events=(event,), **own))

    async def set_default(self, tx: Any) -> None:
        code = self.chance.choice(list(VALUES))
        value = self.chance.choice(VALUES[code])
        default = self.chance.choice((None, FeatureDefinition(value=value)))
        await set_feature_default(tx, code, default=default)

    async def combine(self, tx: Any) -> None:
        combination = self.chance.choice(list(Combination))
        command = UpdateFeature(feature_code="api_calls", changes={"combination": combination})
        await update_feature(tx, command)

    async def move(self, tx: Any) -> None:
        zone = self.chance.choice(("Europe/Berlin", "Asia/Tokyo"))
        account = self.chance.choice(self.accounts)
        await update_account(tx, UpdateAccount(account_id=account.id, changes={"zone": zone}))

    async def step(self) -> None:
        """One thing happens or, where it cannot, nothing; sometimes time goes by."""
        if self.chance.random() < 0.25:
            self.clock.move_to(self.clock.now() + timedelta(days=self.chance.randint(1, 20)))
            await renew_due_subscriptions(self.tenant.work())
            return
        deeds = [self.use, self.use, self.subscribe, self.change, self.extend, self.override,
                 self.remove, self.end, self.restrict, self.lift, self.set_default, self.combine,
                 self.move]  # fmt: skip
        with suppress(Refusal, IndexError):
            async with self.tenant.tx() as tx:
                await self.chance.choice(deeds)(tx)

    async def answers(self) -> list[Any]:
        """What each account may use now, until when that is so, and how its pools stand."""
        told = []
        for account in self.accounts:
            async with self.tenant.tx() as tx:
                snapshot = await fresh_snapshot(tx, account.id)
                decisions = from_json(snapshot.decisions)
                pools = [
                    PoolKey(account.id, code, None if place is None else UUID(place))
                    for code, one in decisions["features"].items()
                    for place in one["pools"]
                ]
                standing = await current_pools(tx, pools)
            assert standing.keys() == set(pools)
            figures = {
                key: (one.limit, one.used, one.overage, one.remaining, one.pool.window_end)
                for key, one in standing.items()
            }
            told.append((decisions, snapshot.valid_until, figures))
        return told


@pytest.mark.parametrize("seed", range(4))
async def test_losing_a_snapshot_changes_nothing_in_any_history(tenant, clock, seed):
    history = History(tenant, clock, random.Random(seed))
    await history.begin()
    for _ in range(30):
        await history.step()
        before = await history.answers()
        async with tenant.tx() as tx:
            await tx.execute("delete from entitlement_snapshot where true")
            assert await tx.fetch("select from account where parked_reason is not null") == []
        assert await history.answers() == before


@pytest.mark.parametrize("seed", range(2))
async def test_a_snapshot_that_is_kept_says_what_a_new_one_would(tenant, clock, seed):
    """In one of two equal histories every snapshot is lost all the time."""
    history = History(tenant, clock, random.Random(seed))
    await history.begin()
    for _ in range(30):
        await history.step()
    kept = await history.answers()
    async with tenant.tx() as tx:
        await tx.execute("delete from entitlement_snapshot where true")
    assert await history.answers() == kept
