"""Which removed methods can their providers still charge?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from billwright.features.payment_methods.model import Detaching, StoredMethod
from billwright.features.payment_methods.rules.detaching import is_given_up
from billwright.features.payment_methods.sql.reads import digests_in_use
from billwright.features.payment_methods.sql.sealed_methods import opened_method, reference_digests
from billwright.features.payment_methods.sql.writes import claim_methods_to_detach, stop_detaching
from billwright.runtime.db.tx import Tx
from billwright.runtime.secrets import SecretBox, SecretUnreadable

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DetachableMethod:
    """A method that its account has removed; `reference` is none where it cannot be read any more."""

    method: StoredMethod
    reference: str | None
    is_shared: bool
    is_last_try: bool


async def claim_detachable_methods(
    tx: Tx, *, as_of: datetime, limit: int, box: SecretBox
) -> list[DetachableMethod]:
    """Take a batch of methods that are to be detached. Each comes again until it is said how it ended."""
    claimed = await claim_methods_to_detach(tx, as_of=as_of, limit=limit)
    references = {method.id: _reference_of(tx, method, box=box) for method in claimed}
    named = [(one.provider, reference) for one in claimed if (reference := references[one.id])]
    used = await _used(tx, named, box=box)
    return [
        DetachableMethod(
            method=method,
            reference=references[method.id],
            is_shared=(method.provider, references[method.id]) in used,
            is_last_try=method.removed_at is None or is_given_up(method.removed_at, now=as_of),
        )
        for method in claimed
    ]


async def end_detaching(tx: Tx, method: StoredMethod, *, ended: Detaching) -> bool:
    """Note that nothing more is tried; false where the payer of the method has left it again since."""
    if not await stop_detaching(tx, method):
        return False
    tx.audit(
        "payment_method.detach",
        subject_type="payment_method",
        subject_id=method.id,
        details={"provider": method.provider, "outcome": ended},
    )
    return True


def _reference_of(tx: Tx, method: StoredMethod, *, box: SecretBox) -> str | None:
    try:
        return opened_method(box, method, tenant_id=tx.tenant_id).reference
    except SecretUnreadable:
        _log.error("payment method unreadable", payment_method_id=str(method.id))
        return None


async def _used(
    tx: Tx, named: Sequence[tuple[str, str]], *, box: SecretBox
) -> set[tuple[str, str | None]]:
    """Which of a provider's references somebody still has, under whatever key it was sealed."""
    meant: dict[str, dict[bytes, str]] = defaultdict(dict)
    for provider, reference in named:
        for digest in reference_digests(box, provider=provider, reference=reference):
            meant[provider][digest] = reference
    used: set[tuple[str, str | None]] = set()
    for provider, references in meant.items():
        found = await digests_in_use(tx, list(references), provider=provider)
        used |= {(provider, references[digest]) for digest in found}
    return used
