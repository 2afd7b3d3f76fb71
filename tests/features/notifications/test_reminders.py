"""What are people told of an end that comes, and how often?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from billwright.features.accounts.operations.set_payment_method_presence import (
    set_payment_method_presence,
)
from billwright.features.catalog.model import TrialEndBehavior
from billwright.features.notifications.messages import MessageSender, MessageType, render_message
from billwright.features.subscriptions.jobs import remind_subscribers
from billwright.features.subscriptions.operations.change_trial import ExtendTrial, extend_trial
from billwright.features.subscriptions.operations.set_renewal import SetRenewal, set_renewal
from billwright.kernel.calendar import Interval, IntervalUnit
from tests.conftest import NOON
from tests.features.billing import a_plan, a_subscription, an_account
from tests.features.notifications.requesting import requests_of, run_reactions

IN_TIME = NOON + timedelta(days=12)
EURO = "\N{NO-BREAK SPACE}€"


async def tried(tenant, *, locale="en", plan=None, **changes):
    async with tenant.tx() as tx:
        await a_plan(tx, **(plan or {}))
        account = await an_account(
            tx, email="books@riverbank.example", locale=locale, zone="Europe/Berlin"
        )
        return (await a_subscription(tx, account, **{"trial_days": 14, **changes})).subscription


async def reminded(tenant, database, registry, clock, *, at=IN_TIME):
    """The reminders that were asked for, and what the last one says."""
    clock.move_to(at)
    await remind_subscribers(tenant.work())
    await run_reactions(database, registry)
    await run_reactions(database, registry)
    kinds = {MessageType.TRIAL_ENDING.value, MessageType.RENEWAL_UPCOMING.value}
    found = [one for one in await requests_of(tenant) if one.type in kinds]
    return found, [
        render_message(
            MessageType(one.type),
            locale=one.locale,
            data=one.data,
            sender=MessageSender("Northlight"),
        ).text
        for one in found
    ]


async def test_a_trial_that_is_charged(tenant, database, registry, clock):
    await tried(tenant, locale="de-DE")
    [request], [text] = await reminded(tenant, database, registry, clock)
    assert request.data == {
        "account_name": "Riverbank Books",
        "plan_name": "Team",
        # From 15 January, one o'clock in the afternoon, to the same hour of the 29th.
        "ends_on_label": "29. Januar 2026",
        "charged_on_label": "29. Januar 2026",
        "amount_label": f"46,29{EURO}",
    }
    assert "Über den fälligen Betrag erhalten Sie eine Rechnung." in text


async def test_a_trial_that_is_extended_is_told_of_again(tenant, database, registry, clock):
    subscription = await tried(tenant)
    await reminded(tenant, database, registry, clock)
    end = NOON + timedelta(days=20)
    async with tenant.tx() as tx:
        await extend_trial(tx, ExtendTrial(subscription_id=subscription.id, trial_end=end))
    found, _ = await reminded(tenant, database, registry, clock, at=NOON + timedelta(days=18))
    assert [one.data["ends_on_label"] for one in found] == ["January 29, 2026", "February 4, 2026"]
    assert len({one.dedup_key for one in found}) == 2


@pytest.mark.parametrize("behavior", [TrialEndBehavior.PAUSE, TrialEndBehavior.CANCEL])
async def test_a_trial_that_needs_a_payment_method(tenant, database, registry, clock, behavior):
    await tried(tenant, trial_end_behavior=behavior)
    [request], [text] = await reminded(tenant, database, registry, clock)
    assert "Please leave a payment method by January 29, 2026" in text
    assert not {"amount_label", "charged_on_label"} & set(request.data)


async def test_a_trial_that_just_ends(tenant, database, registry, clock):
    subscription = await tried(tenant)
    async with tenant.tx() as tx:
        await set_payment_method_presence(tx, subscription.account_id, present=True)
        await set_renewal(tx, SetRenewal(subscription_id=subscription.id, renews=False))
    _, [text] = await reminded(tenant, database, registry, clock)
    assert "Nothing is charged." in text
    assert "cancel it" not in text


async def test_a_year_that_renews(tenant, database, registry, clock):
    await tried(tenant, plan={"interval": Interval(IntervalUnit.YEAR)}, trial_days=0)
    at = datetime(2027, 1, 8, 12, tzinfo=UTC)
    [request], [text] = await reminded(tenant, database, registry, clock, at=at)
    assert request.data["renews_on_label"] == "January 15, 2027"
    assert request.data["amount_label"] == "€46.29"
    assert "renews on January 15, 2027" in text
