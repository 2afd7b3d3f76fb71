"""What does a command on a subscription stand on?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billwright.features.accounts.errors import account_parked
from billwright.features.accounts.model import Account
from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.catalog.sql.reads import plan_versions
from billwright.features.invoicing.model import Billed
from billwright.features.subscriptions.errors import version_stale
from billwright.features.subscriptions.model import Commanded, Subscription
from billwright.features.subscriptions.operations.apply_transitions import apply_transitions
from billwright.features.subscriptions.operations.gather_facts import Question, gather_facts
from billwright.features.subscriptions.operations.take_due_steps import due_transitions
from billwright.features.subscriptions.rules.decision import keep_decision
from billwright.features.subscriptions.rules.instants import require_since_last_change
from billwright.features.subscriptions.rules.transition import Facts, Transition
from billwright.features.subscriptions.sql.reads import account_of, subscription_by_id
from billwright.kernel.event import Event
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True)
class Opened:
    """A subscription in the period that contains now, with its account locked until the commit.

    `billed` is what coming there owed, where the billing run had not been yet.
    """

    subscription: Subscription
    account: Account
    billed: Billed

    async def facts(self, tx: Tx, *, at: datetime) -> Facts:
        """What a step at that instant must know."""
        found = await gather_facts(
            tx, [Question(self.subscription, at)], accounts={self.account.id: self.account}
        )
        return found[self.subscription.id]

    async def facts_since_last_change(
        self, tx: Tx, *, at: datetime | None
    ) -> tuple[Facts, datetime]:
        """The facts for a command that takes effect now, or at the instant that its preview reckoned
        with, so that the same amounts come out; and that instant. Refuses: `effective_at_invalid`.
        """
        instant = tx.now if at is None else at
        facts = await self.facts(tx, at=instant)
        if instant != tx.now:
            require_since_last_change(self.subscription, facts, at=instant, now=tx.now)
        return facts, instant

    async def note(self, tx: Tx, decided: Subscription, *, action: str, event: Event) -> Commanded:
        """Keep a decision that costs nothing and gives nothing now."""
        versions = await plan_versions(tx, [decided.plan_version_id])
        transition = keep_decision(
            self.subscription,
            decided=decided,
            version=versions[decided.plan_version_id],
            action=action,
            event=event,
            now=tx.now,
        )
        return await self.apply(tx, transition)

    async def apply(self, tx: Tx, transition: Transition) -> Commanded:
        """Make the step of a command."""
        billed = await apply_transitions(tx, [transition], accounts={self.account.id: self.account})
        return Commanded(
            transition.after,
            transition.version,
            self.billed + billed,
        )


async def open_subscription(
    tx: Tx, subscription_id: UUID, *, expected_version: int | None
) -> Opened:
    """Lock a subscription's account and bring the subscription up to now. The billing run may be late:
    periods that have begun are owed whether or not it came in time.

    Refuses: `subscription_unknown`, `version_stale`, `account_parked` when it cannot be billed.
    """
    account = await lock_account(tx, await account_of(tx, subscription_id))
    subscription = await subscription_by_id(tx, subscription_id)
    if expected_version not in {None, subscription.version}:
        raise version_stale(expected=expected_version, actual=subscription.version)
    billed = Billed()
    while subscription.next_action_at is not None and subscription.next_action_at <= tx.now:
        if account.parked_reason is not None:
            raise account_parked(account_id=account.id, reason=account.parked_reason)
        accounts: dict[UUID, Account] = {account.id: account}
        [transition] = await due_transitions(tx, [subscription], accounts=accounts)
        billed += await apply_transitions(tx, [transition], accounts=accounts)
        subscription = transition.after
    return Opened(subscription, account, billed)
