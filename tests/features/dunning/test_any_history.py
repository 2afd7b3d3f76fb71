"""Whatever providers answer and people do: does every case end, and do subscriptions and access agree?"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from billwright.features.dunning.operations.pause_dunning import (
    PauseDunning,
    pause_dunning,
    resume_dunning,
)
from billwright.features.dunning.rules.case import CaseState
from billwright.features.dunning.rules.policy import policy_of
from billwright.features.payment_providers.port import OutcomeUnknown, ProviderUnavailable
from billwright.features.payments.operations.open_page import OpenPage, open_page
from billwright.kernel.refusal import Refusal
from tests.conftest import BOX, Tenant
from tests.features.dunning.pursuing import DUE, Pursuit, a_pursuit
from tests.features.payments.paying import (
    DECLINED,
    LOST_CARD,
    PROCESSING,
    SUCCEEDED,
    TO_CONFIRM,
    collect,
    leave_card,
    pay,
    reserve,
)

DAY = timedelta(days=1)
ANSWERS = [DECLINED] * 6 + [LOST_CARD, PROCESSING, TO_CONFIRM, SUCCEEDED]
FAILURES = [OutcomeUnknown(), ProviderUnavailable(), ProviderUnavailable()]


async def ask_again(pursuit: Pursuit, chance: Random) -> None:
    await pursuit.retry()


async def leave_a_card(pursuit: Pursuit, chance: Random) -> None:
    reference = f"card-{chance.randrange(10**6)}"
    await leave_card(pursuit.tenant, pursuit.invoice, reference=reference)


async def remove_the_card(pursuit: Pursuit, chance: Random) -> None:
    await pursuit.remove_card()


async def go_to_a_page(pursuit: Pursuit, chance: Random) -> None:
    command = OpenPage(
        invoice_id=pursuit.invoice.id,
        success_url="https://shop.example/thanks",
        cancel_url="https://shop.example/back",
        saves_method=True,
    )
    providers = pursuit.bank.providers
    await open_page(pursuit.tenant.tx, command, providers=providers, box=BOX)
    if chance.random() < 0.3:
        pursuit.bank.paid_pages.add(f"page-{len(pursuit.bank.pages)}")


async def pay_a_part(pursuit: Pursuit, chance: Random) -> None:
    await collect(pursuit.tenant, await reserve(pursuit.tenant, pay(pursuit.invoice, 100)))


async def hold_back(pursuit: Pursuit, chance: Random) -> None:
    until = pursuit.clock.now() + chance.randint(1, 9) * DAY
    async with pursuit.tenant.tx() as tx:
        await pause_dunning(tx, PauseDunning(case_id=(await pursuit.case()).id, until=until))


async def go_on(pursuit: Pursuit, chance: Random) -> None:
    async with pursuit.tenant.tx() as tx:
        await resume_dunning(tx, (await pursuit.case()).id)


async def tell(pursuit: Pursuit, chance: Random) -> None:
    await pursuit.answer(chance.choice([DECLINED, LOST_CARD, SUCCEEDED]))


PEOPLE = (
    ask_again,
    leave_a_card,
    remove_the_card,
    go_to_a_page,
    pay_a_part,
    hold_back,
    go_on,
    tell,
)


async def act(pursuit: Pursuit, chance: Random) -> None:
    """One thing that somebody does; what is refused, or about nothing, is not done."""
    with suppress(Refusal, ValueError, AssertionError):
        await chance.choice(PEOPLE)(pursuit, chance)
    await pursuit.collect_reserved()


async def check(tenant: Tenant, pursuit: Pursuit) -> None:
    """A subscription is past due, and access restricted, by a debt that still waits for its money."""
    cases = await pursuit.cases()
    waiting = [one for one in cases if one.standing.state in {CaseState.OPEN, CaseState.EXHAUSTED}]
    assert len({one.debt.invoice_id for one in waiting}) == len(waiting)
    for case in waiting:
        assert case.debt.state in {"open", "partially_paid"}
        assert case.due_at is not None or case.standing.state is CaseState.EXHAUSTED
    state = (await pursuit.subscription()).state
    held = {one for case in waiting for one in case.subscription_ids}
    assert (state in {"past_due", "unpaid"}) is bool(held) or state == "canceled"
    async with tenant.tx() as tx:
        causes = await tx.fetch("select distinct cause_id from entitlement_restriction")
        live = await tx.fetch_value(
            """select max(n) from (select count(*) as n from payment_attempt
               where state not in ('succeeded', 'declined', 'not_attempted') group by invoice_id) c"""
        )
    assert {row["cause_id"] for row in causes} <= {case.id for case in waiting}
    assert (live or 0) <= 1


@pytest.mark.parametrize("seed", range(6))
async def test_every_case_ends_and_all_agree(tenant, clock, seed):
    chance = Random(seed)
    policy: dict[str, Any] = {
        "schedule": ["P2D", "P3D", "P4D"],
        "final_action": chance.choice(["cancel", "mark_unpaid", "leave_past_due"]),
        "hard_decline": chance.choice(["stop", "continue"]),
        "retry_on_new_method": chance.choice(["immediate", "at_next_step"]),
        "max_age": "P40D",
        "scope": chance.choice(["invoice", "account"]),
    }
    pursuit = await a_pursuit(tenant, clock, policy=policy_of(policy))
    pursuit.bank.script = [chance.choice([*ANSWERS, *FAILURES]) for _ in range(60)]
    pursuit.bank.script[0] = DECLINED
    await pursuit.live_until(DUE)
    for _ in range(25):
        await act(pursuit, chance)
        await check(tenant, pursuit)
        await pursuit.live_until(clock.now() + timedelta(hours=chance.randint(1, 40)))
        await check(tenant, pursuit)
    # Nobody does anything any more, and every attempt whose outcome is not known is found declined.
    pursuit.bank.script = []
    for _ in range(30):
        with suppress(ValueError):
            await pursuit.answer(DECLINED)
        await pursuit.live_until(clock.now() + 2 * DAY)
        await check(tenant, pursuit)
    [first] = [one for one in await pursuit.cases() if one.debt.invoice_id == pursuit.invoice.id][
        -1:
    ]
    assert first.standing.state is not CaseState.OPEN
