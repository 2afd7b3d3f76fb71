"""How does the sandbox write an event, and read it again?"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from billwright.features.payment_providers.model import (
    AttemptState,
    Decline,
    DisputeState,
    EventKind,
)
from billwright.features.payment_providers.port import (
    CallbackEvent,
    CallbackInvalid,
    Dispute,
    ProviderAnswer,
)
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.providers.payment.sandbox.ledger import Entry

_KINDS = {
    "payment": EventKind.PAYMENT,
    "refund": EventKind.REFUND,
    "setup": EventKind.METHOD,
    "dispute": EventKind.DISPUTE,
}


def event_body(
    entry: Entry, *, event_id: str, now: datetime, dispute: DisputeState | None = None
) -> bytes:
    """An event that tells how an entry stands, or a dispute about it."""
    thing: dict[str, Any] = {
        "reference": entry.reference,
        "provider_key": None if entry.is_made_there else entry.provider_key,
        "tenant_id": entry.tenant_id and str(entry.tenant_id),
        "state": entry.state.value,
        "failure_code": entry.failure_code,
        "decline": entry.decline and entry.decline.value,
        "amount_minor": entry.amount and entry.amount.amount_minor,
        "currency": entry.amount and entry.amount.currency.code,
        "payment_reference": entry.payment_reference,
        "has_saved": entry.saved_method is not None,
        "dispute": dispute,
    }
    event = {
        "id": event_id,
        "type": f"{'dispute' if dispute else entry.kind}.changed",
        "created_at": now.isoformat(),
        "object": thing,
    }
    return json.dumps(event, separators=(",", ":")).encode()


def dispute_reference(payment_reference: str) -> str:
    """What the dispute about a payment is called; there is one at most."""
    return f"{payment_reference}_dispute"


def event_id_of(body: bytes) -> str:
    """The name of an event that the sandbox has written itself."""
    return str(json.loads(body)["id"])


def read_body(body: bytes) -> CallbackEvent:
    """What a body says whose signature is right. Raises `CallbackInvalid`."""
    try:
        event = json.loads(body)
        kind = _KINDS.get(event["type"].partition(".")[0], EventKind.OTHER)
        facts = {
            "event_id": event["id"],
            "created_at": datetime.fromisoformat(event["created_at"]),
            "type": event["type"],
            "kind": kind,
        }
        if kind is EventKind.OTHER:
            return CallbackEvent(**facts)
        return _about(event["object"], facts=facts)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CallbackInvalid("the body is no event of the sandbox") from None


def _about(thing: dict[str, Any], *, facts: dict[str, Any]) -> CallbackEvent:
    amount = None
    if thing["amount_minor"] is not None:
        amount = Money(thing["amount_minor"], currency_of(thing["currency"]))
    facts |= {
        "provider_key": thing["provider_key"],
        "tenant_id": UUID(thing["tenant_id"]) if thing["tenant_id"] else None,
    }
    if facts["kind"] is EventKind.DISPUTE:
        if amount is None:
            raise ValueError("a dispute is about an amount")
        dispute = Dispute(
            reference=dispute_reference(thing["reference"]),
            payment_reference=thing["reference"],
            state=DisputeState(thing["dispute"]),
            amount=amount,
            reason="fraudulent",
            respond_by=None,
        )
        return CallbackEvent(**facts, reference=dispute.reference, dispute=dispute)
    state = AttemptState(thing["state"])
    answer = ProviderAnswer(
        state,
        thing["reference"],
        thing["failure_code"],
        decline=Decline(thing["decline"]) if thing["decline"] else None,
        amount=None if state is AttemptState.DECLINED else amount,
    )
    return CallbackEvent(
        **facts,
        reference=thing["reference"],
        answer=answer,
        payment_reference=thing.get("payment_reference"),
        leaves_question=state is AttemptState.SUCCEEDED and thing.get("has_saved", False),
    )
