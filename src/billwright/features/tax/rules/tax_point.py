"""Which day's tax rate holds for a service?"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from billwright.kernel.calendar import local_date


def tax_point(*, service_end: datetime, issued_at: datetime, issued_on: date, zone: str) -> date:
    """The last day of the service, or the day of issue when that comes first.

    A service is supplied when its period has ended (Article 64(1) of Directive 2006/112/EC); what is
    billed in advance is taxed when it is billed and paid (Articles 65 and 66). `service_end` is the
    instant before which the service ends; days are those of the seller's `zone`.
    """
    if service_end > issued_at:
        return issued_on
    return local_date(service_end - timedelta(microseconds=1), zone)
