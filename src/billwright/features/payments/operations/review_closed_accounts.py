"""How is a person asked about what a closed account has used?"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from billwright.features.accounts.events import AccountReopened
from billwright.features.payments.model import NewReviewTask, ReviewKind
from billwright.features.payments.operations.open_review_task import open_review_task
from billwright.features.payments.sql.writes_reviews import release_key
from billwright.features.subscriptions.events import SubscriptionUsageLeft
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.runtime.db.tx import Tx


async def ask_about_usage(tx: Tx, events: Sequence[SubscriptionUsageLeft]) -> None:
    """Open one task for each closed account, however often more becomes known: it says what the first of
    it would be.
    """
    by_account: dict[UUID, list[SubscriptionUsageLeft]] = {}
    for event in events:
        if event.account_id is not None:
            by_account.setdefault(event.account_id, []).append(event)
    for account_id, left in by_account.items():
        await open_review_task(
            tx,
            NewReviewTask(
                kind=ReviewKind.USAGE_AFTER_CLOSING,
                subject_type="account",
                subject_id=account_id,
                account_id=account_id,
                details={"subscriptions": [_said(one) for one in left]},
                dedup_key=_key(account_id),
            ),
        )


async def ask_anew_after_reopening(tx: Tx, events: Sequence[AccountReopened]) -> None:
    """What becomes known after another closing is another finding."""
    for event in events:
        await release_key(tx, _key(event.subject_id))


def _said(left: SubscriptionUsageLeft) -> dict[str, object]:
    return {
        "id": left.subject_id,
        "reference": left.reference,
        "used_from": left.period_start,
        "used_until": left.period_end,
        "amount": str(Money(left.amount_minor, currency_of(left.currency))),
    }


def _key(account_id: UUID) -> str:
    return f"{ReviewKind.USAGE_AFTER_CLOSING.value}:{account_id}"
