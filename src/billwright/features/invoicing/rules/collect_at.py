"""When is the money of an invoice asked for, and when has its payer missed the last day?"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from billwright.kernel.calendar import resolve


def first_collection(due_on: date, *, zone: str, issued_at: datetime) -> datetime:
    """The beginning of the last day to pay, or at once where that day has begun."""
    return max(_beginning_of(due_on, zone), issued_at)


def overdue_from(due_on: date, *, zone: str) -> datetime:
    """The end of the last day to pay."""
    return _beginning_of(due_on + timedelta(days=1), zone)


def _beginning_of(day: date, zone: str) -> datetime:
    return resolve(datetime.combine(day, time()), zone)
