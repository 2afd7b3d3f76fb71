"""What does a row say of a subscription's changes?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import convert

from billwright.features.pricing.rules.pricing import pricing_of
from billwright.features.promotions.model import Redemption
from billwright.features.subscriptions.model import (
    PendingChange,
    Proration,
    SubscriptionItem,
    UnpaidChange,
)
from billwright.kernel.calendar import Period, Schedule
from billwright.runtime.db.json import from_json


def pending_change_of(value: str | None) -> PendingChange | None:
    """The change that is to come."""
    return None if value is None else _pending_change(from_json(value))


def unpaid_change_of(value: str | None) -> UnpaidChange | None:
    """What the subscription was before a change that is not paid yet."""
    if value is None:
        return None
    stored = from_json(value)
    pending = stored["pending_change"]
    return UnpaidChange(
        invoice_id=UUID(stored["invoice_id"]),
        plan_version_id=UUID(stored["plan_version_id"]),
        items=tuple(
            replace(_item(one), accrues_from=convert(one["accrues_from"], datetime | None))
            for one in stored["items"]
        ),
        schedule=convert(stored["schedule"], Schedule),
        period=convert(stored["period"], Period),
        # A change that was waiting when this came to be kept says nothing of it.
        bills_from=convert(stored.get("bills_from"), datetime | None),
        pending_change=None if pending is None else _pending_change(pending),
        redemptions=convert(stored["redemptions"], tuple[Redemption, ...]),
    )


def _pending_change(stored: Mapping[str, Any]) -> PendingChange:
    return PendingChange(
        plan_version_id=UUID(stored["plan_version_id"]),
        items=tuple(map(_item, stored["items"])),
        effective_at=datetime.fromisoformat(stored["effective_at"]),
        at_period_end=stored["at_period_end"],
        proration=Proration(stored["proration"]),
        requested_at=datetime.fromisoformat(stored["requested_at"]),
    )


def _item(stored: Mapping[str, Any]) -> SubscriptionItem:
    return SubscriptionItem(
        UUID(stored["plan_component_id"]),
        Decimal(stored["quantity"]),
        pricing_of(stored["pricing"]) if stored["pricing"] else None,
    )
