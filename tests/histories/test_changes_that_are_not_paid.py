"""Is everything as it was before a change, once the change was undone because it was not paid?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import event, given, note
from hypothesis import strategies as st

from billwright.features.accounts.operations.set_payment_method_presence import (
    set_payment_method_presence,
)
from billwright.features.subscriptions.operations.revert_unpaid_change import revert_unpaid_change
from billwright.kernel.ids import new_id
from tests.conftest import Tenant, make_tenant
from tests.histories.books import check_documents
from tests.histories.commands import Command, Wait, commands
from tests.histories.profile import histories
from tests.histories.requests import NAMES
from tests.histories.test_stories_in_postgres import begun_scene, scenes

WAITS = st.builds(Wait, st.sampled_from(("none", "seconds", "days", "share")), st.integers(1, 7))
# Of the choices, those of which `timing_of` makes a change now, invoiced now.
_AT_ONCE = [one for one in range(10_000) if one // 20 % 5 < 3 and one // 4 % 5 in {0, 1, 4}]
CHANGES = st.builds(
    Command,
    st.just(Wait("none", 0)),
    st.sampled_from(("change plan", "change quantity", "add-on")),
    st.sampled_from(_AT_ONCE),
)


@given(
    scene=scenes(),
    told=st.lists(commands(NAMES), max_size=3),
    changed=st.lists(CHANGES, min_size=4, max_size=4),
    meanwhile=WAITS,
)
@histories(short=25, long=2_000)
async def test_undoing_a_change_leaves_everything_as_it_was(
    scene, told, changed, meanwhile, database, clock
):
    clock.move_to(scene.start)
    tenant = await make_tenant(database, f"tenant-{new_id()}")
    story = await begun_scene(tenant, clock, scene)
    for command in told:
        await story.tell(command)
    async with tenant.tx() as tx:
        await set_payment_method_presence(tx, story.account.id, present=True)
    await story.bill()
    for command in changed:
        before = await everything(tenant)
        await story.tell(command)
        if story.subscription.unpaid_change is not None:
            break
    unpaid = story.subscription.unpaid_change
    event("nothing to undo" if unpaid is None else "undone")
    if unpaid is None:
        return
    note(f"changed: {story.subscription}")
    period = story.subscription.period
    clock.move_to(min(meanwhile.until(clock.now(), period=period), _just_before(period.end)))
    async with tenant.tx() as tx:
        assert await revert_unpaid_change(tx, unpaid.invoice_id)
    await check_documents(tenant)
    assert await everything(tenant) == before
    async with tenant.tx() as tx:
        assert not await revert_unpaid_change(tx, unpaid.invoice_id)
    await story.bill()
    await check_documents(tenant)


def _just_before(instant: datetime) -> datetime:
    return instant - timedelta(seconds=1)


async def everything(tenant: Tenant) -> dict[str, Any]:
    """The subscription, what was charged for it and is owed, and what its account and promotions have."""
    async with tenant.tx() as tx:
        return {
            name: [dict(row) for row in await tx.fetch(sql)] for name, sql in _EVERYTHING.items()
        }


_EVERYTHING = {
    "subscription": """select to_jsonb(s) - 'version' - 'updated_at' - 'unpaid_change' as row
        from subscription s""",
    "items": """select to_jsonb(i) - 'id' as row from subscription_item i
        order by plan_component_id""",
    "charges": """select c.id, c.invoice_id, c.credited_minor, c.reversed_from, i.due_minor
        from charge c left join invoice i on i.id = c.invoice_id
        where i.state is distinct from 'void' order by c.id""",
    "credit": "select currency, balance_minor from credit_balance where balance_minor > 0",
    "promotions": "select to_jsonb(r) - 'updated_at' as row from redemption r",
    "access": "select subscription_id, plan_version_id from entitlement_source",
}
