"""Do the books say what really happened to the money?"""

from __future__ import annotations

from collections import Counter
from typing import Any

from billwright.features.payment_providers.model import AttemptState
from tests.faults.payments.fates import Fate
from tests.faults.payments.world import World


async def check_money(world: World) -> None:
    """What the provider moved is what is booked, nothing was paid twice, and nothing was forgotten."""
    async with world.tenant.tx() as tx:
        await _payments_agree(tx, world)
        await _refunds_agree(tx, world)
        await _invoices_are_what_came(tx)
        await _nothing_is_paid_twice(tx, world)
        await _credit_is_what_was_left(tx)
        await _everything_ends(tx)
        await _access_follows(tx)
    assert world.provider.charged_after_all == []  # with a card that its owner has removed


async def _none(tx: Any, sql: str) -> None:
    wrong = await tx.fetch(sql)
    assert wrong == [], [dict(row) for row in wrong]


async def _payments_agree(tx: Any, world: World) -> None:
    """Every payment there is one here, with the same money; and none here that is not there."""
    rows = await tx.fetch(
        """select t.provider_key, t.state as attempt, p.state, p.captured_minor, p.refunded_minor
           from payment_attempt t join payment p on p.id = t.payment_id
           where t.provider = 'unreliable'"""
    )
    here = {row["provider_key"]: row for row in rows}
    there = {key: one for key, one in world.provider.by_key.items() if one.kind == "payment"}
    assert there.keys() <= here.keys()
    for key, row in here.items():
        entry = there.get(key)
        captured = entry.captured_minor if entry else 0
        assert row["captured_minor"] == captured, (dict(row), entry)
        assert (row["state"] == "succeeded") == (captured > 0), (dict(row), entry)
        assert row["refunded_minor"] == (entry.refunded_minor if entry else 0), (dict(row), entry)


async def _refunds_agree(tx: Any, world: World) -> None:
    rows = await tx.fetch("select * from refund where provider = 'unreliable'")
    here = {row["provider_key"]: row for row in rows}
    there = {key: one for key, one in world.provider.by_key.items() if one.kind == "refund"}
    assert there.keys() <= here.keys()
    for key, row in here.items():
        entry = there.get(key)
        succeeded = entry is not None and entry.state is AttemptState.SUCCEEDED
        assert (row["state"] == "succeeded") == succeeded, (dict(row), entry)
        assert row["state"] in {"succeeded", "failed"}, dict(row)
    await _none(
        tx,
        """select p.id, p.refunded_minor from payment p
           where p.refunded_minor <> (select coalesce(sum(r.amount_minor), 0) from refund r
                                      where r.payment_id = p.id and r.state <> 'failed')""",
    )


async def _invoices_are_what_came(tx: Any) -> None:
    """Money that is booked on an invoice came for it, and was not taken back by a bank since."""
    rows = await tx.fetch(
        """select i.id, i.number, i.state, i.total_minor, i.paid_minor, i.due_minor,
               (select coalesce(sum(p.captured_minor - p.unapplied_minor), 0) from payment p
                where p.invoice_id = i.id) as applied,
               (select coalesce(sum(d.amount_minor), 0) from dispute d
                join payment p on p.id = d.payment_id
                where p.invoice_id = i.id and d.state = 'lost') as lost
           from invoice i where i.kind = 'invoice' and i.number is not null"""
    )
    for row in rows:
        assert row["applied"] - row["lost"] <= row["paid_minor"] <= row["applied"], dict(row)
        if not row["lost"]:
            assert row["paid_minor"] == row["applied"], dict(row)
        assert row["due_minor"] >= 0, dict(row)
        if row["state"] == "paid":
            assert row["due_minor"] == 0, dict(row)


async def _nothing_is_paid_twice(tx: Any, world: World) -> None:
    """The provider took no more for an invoice than it says, but for what the provider itself made
    more, what came for one that was settled in another way meanwhile, and what a bank took back.
    """
    rows = await tx.fetch(
        """select p.invoice_id, t.provider_key, p.provider, p.captured_minor, p.unapplied_minor,
               i.total_minor
           from payment p join payment_attempt t on t.payment_id = p.id
           join invoice i on i.id = p.invoice_id"""
    )
    taken: Counter[Any] = Counter()
    totals = {}
    for row in rows:
        entry = world.provider.by_key.get(row["provider_key"])
        if entry is None:
            continue
        totals[row["invoice_id"]] = row["total_minor"]
        excess = 100 if entry.fate is Fate.MORE and entry.captured_minor else 0
        taken[row["invoice_id"]] += max(entry.captured_minor - excess - entry.lost_minor, 0)
    for invoice_id, amount_minor in taken.items():
        assert amount_minor <= totals[invoice_id], (invoice_id, amount_minor)
    # What found nothing due is somebody's task, if it is more than the provider's own mistake.
    flagged = await tx.fetch("select subject_id, kind from review_task")
    known = {row["subject_id"] for row in flagged}
    payments = await tx.fetch(
        "select id, unapplied_minor, captured_minor, amount_minor, provider from payment"
    )
    for row in payments:
        if row["captured_minor"] and row["captured_minor"] != row["amount_minor"]:
            assert row["id"] in known, dict(row)


async def _credit_is_what_was_left(tx: Any) -> None:
    await _none(
        tx,
        """select b.account_id, b.balance_minor from credit_balance b
           where b.balance_minor <> (select coalesce(sum(e.amount_minor), 0) from credit_entry e
               where e.account_id = b.account_id and e.currency = b.currency)""",
    )
    unapplied = await tx.fetch_value("select coalesce(sum(unapplied_minor), 0) from payment")
    credited = await tx.fetch_value(
        "select coalesce(sum(amount_minor), 0) from credit_entry where kind = 'overpayment'"
        " and amount_minor > 0"
    )
    assert unapplied == credited


_WITH_A_PERSON = """exists (select from review_task r where r.kind = 'outcome_unknown'
    and r.subject_id = t.payment_id)"""


async def _everything_ends(tx: Any) -> None:
    """Only what the provider could not be asked about in a week is left, and that to a person."""
    await _none(
        tx,
        f"""select t.state, t.channel, t.next_check_at, p.state as payment
            from payment_attempt t join payment p on p.id = t.payment_id
            where (t.state not in ('succeeded', 'declined', 'not_attempted')
                   or p.state = 'pending') and not {_WITH_A_PERSON}""",
    )
    await _none(
        tx,
        f"""select c.* from dunning_case c where c.state = 'open' and not exists (
                select from payment_attempt t where t.invoice_id = c.invoice_id
                    and t.state = 'unknown' and {_WITH_A_PERSON})""",
    )
    await _none(
        tx,
        """select type, state, last_error from provider_callback
           where state in ('received', 'waiting')""",
    )
    await _none(tx, "select entrypoint from queue.pgqueuer")
    await _none(tx, "select parked_reason from account where parked_reason is not null")


async def _access_follows(tx: Any) -> None:
    """Only what is still owed restricts: a debt that was settled has given everything back."""
    await _none(
        tx,
        """select r.*, c.state as case_state from entitlement_restriction r
           left join dunning_case c on c.id = r.cause_id
           where c.id is null or c.state not in ('open', 'exhausted')""",
    )
    await _none(
        tx,
        """select s.state, s.past_due_at from subscription s
           where s.state in ('past_due', 'unpaid') and not exists (
               select from dunning_case c where s.id = any(c.subscription_ids)
                   and c.state in ('open', 'exhausted'))""",
    )
