"""When does an account's billing day begin next?"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime, time, timedelta

from billwright.features.accounts.errors import billing_day_mismatch
from billwright.features.accounts.model import Account, Collection
from billwright.kernel.calendar import day_of_month_out_of_range, local_date, resolve


def first_billing_instant(
    after: datetime, *, collection: Collection, billing_day: int | None, zone: str
) -> datetime | None:
    """When a collection policy first asks for an invoice; none when nothing waits for a day.

    Refuses: `billing_day_mismatch`, `day_of_month_out_of_range`, `zone_unknown`.
    """
    if (collection is Collection.BILLING_DAY) is not (billing_day is not None):
        raise billing_day_mismatch(pointer="/billing_day", collection=collection.value)
    if billing_day is None:
        return None
    return next_billing_instant(after, billing_day=billing_day, zone=zone)


def moved_billing_instant(account: Account, *, changed: Account, now: datetime) -> datetime | None:
    """When the next invoice of an account is due once it has changed.

    A day that has begun, and whose invoice has not been made yet, stays due: its charges must not
    wait a month more. Refuses: as `first_billing_instant`.
    """
    moved = first_billing_instant(
        now, collection=changed.collection, billing_day=changed.billing_day, zone=changed.zone
    )
    due = account.next_invoice_at
    if moved is None or due is None:
        return moved
    same = (account.billing_day, account.zone) == (changed.billing_day, changed.zone)
    return due if same or due <= now else moved


def next_billing_instant(after: datetime, *, billing_day: int, zone: str) -> datetime:
    """The first instant strictly after `after` at which the billing day begins in the zone.

    A month that has no such day is billed on its last one. Refuses: `day_of_month_out_of_range`,
    `zone_unknown`.
    """
    if not 1 <= billing_day <= 31:
        raise day_of_month_out_of_range(pointer="/billing_day", day_of_month=billing_day)
    first = local_date(after, zone).replace(day=1)
    instant = _beginning(first, billing_day=billing_day, zone=zone)
    if instant > after:
        return instant
    following = (first + timedelta(days=31)).replace(day=1)
    return _beginning(following, billing_day=billing_day, zone=zone)


def _beginning(month: date, *, billing_day: int, zone: str) -> datetime:
    last = monthrange(month.year, month.month)[1]
    return resolve(datetime.combine(month.replace(day=min(billing_day, last)), time()), zone)
