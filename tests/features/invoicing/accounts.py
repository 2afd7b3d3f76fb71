"""Whom do the tests of rules bill?"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from billwright.features.accounts.model import (
    Account,
    AccountId,
    AccountStatus,
    Collection,
    CustomerType,
)
from billwright.features.tenancy.model import Address

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
AN_ACCOUNT = Account(
    id=AccountId(uuid4()),
    number=1,
    external_id=None,
    status=AccountStatus.ACTIVE,
    name="Riverbank Books",
    email=None,
    customer_type=CustomerType.BUSINESS,
    tax_id=None,
    reference=None,
    address=Address(city="Berlin"),
    currency="EUR",
    locale="en",
    zone="UTC",
    payment_terms_days=None,
    collection=Collection.IMMEDIATE,
    billing_day=None,
    next_invoice_at=None,
    has_payment_method=False,
    parked_reason=None,
    test_clock_id=None,
    metadata={},
    version=1,
    created_at=BEGAN,
    updated_at=BEGAN,
)
