"""Whose usage is it that a source tells of?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from billwright.features.subscriptions.errors import (
    usage_subject_ambiguous,
    usage_subject_unknown,
)
from billwright.features.subscriptions.model import UsageSubject
from billwright.features.subscriptions.sql.reads_usage import (
    accounts_of_subjects,
    usage_places,
    usage_places_of_accounts,
    usage_places_of_subjects,
)
from billwright.features.usage.model import UsagePlace
from billwright.runtime.db.tx import Tx

_Found = Mapping[UsageSubject, Sequence[UsagePlace]]


async def find_usage_places(
    tx: Tx, subjects: Mapping[UsageSubject, int]
) -> dict[UsageSubject, UsagePlace]:
    """The subscription that each subject means, with its account's own time, by at most one query for
    each kind; `subjects` has the number of the first event that names each.

    An account means the only one of its subscriptions that has not ended. A `subject` is the external
    id of a subscription or else of an account. Refuses: `usage_subject_unknown`,
    `usage_subject_ambiguous`.
    """
    found = {
        **await _by_subscription(tx, _values(subjects, "subscription_id")),
        **await _by_account(tx, _values(subjects, "account_id")),
        **await _by_subject(tx, _values(subjects, "subject")),
    }
    places: dict[UsageSubject, UsagePlace] = {}
    for subject, number in subjects.items():
        own = found.get(subject, ())
        if len(own) != 1:
            raise _refusal(subject, count=len(own), number=number)
        places[subject] = own[0]
    return places


def _values(subjects: Mapping[UsageSubject, int], kind: str) -> list[Any]:
    return [subject.value for subject in subjects if subject.kind == kind]


async def _by_subscription(tx: Tx, ids: Sequence[Any]) -> _Found:
    if not ids:
        return {}
    places = await usage_places(tx, ids)
    return {UsageSubject("subscription_id", id_): [place] for id_, place in places.items()}


async def _by_account(tx: Tx, ids: Sequence[Any]) -> _Found:
    if not ids:
        return {}
    places = await usage_places_of_accounts(tx, ids)
    return {UsageSubject("account_id", id_): own for id_, own in places.items()}


async def _by_subject(tx: Tx, external_ids: Sequence[Any]) -> _Found:
    if not external_ids:
        return {}
    places = await usage_places_of_subjects(tx, external_ids)
    found = {UsageSubject("subject", one): own for one, own in places.items()}
    others = [one for one in external_ids if one not in places]
    accounts = await accounts_of_subjects(tx, others) if others else {}
    own = await usage_places_of_accounts(tx, list(accounts.values())) if accounts else {}
    return found | {
        UsageSubject("subject", one): own.get(account_id, [])
        for one, account_id in accounts.items()
    }


def _refusal(subject: UsageSubject, *, count: int, number: int) -> Exception:
    pointer, kind, value = f"/events/{number}/{subject.kind}", subject.kind, str(subject.value)
    if count:
        return usage_subject_ambiguous(pointer=pointer, kind=kind, value=value, count=count)
    return usage_subject_unknown(pointer=pointer, kind=kind, value=value)
