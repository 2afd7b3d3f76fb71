"""What do documents leave with an account, and what do they take from it, at once or later?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

# An account and a currency: credit in one currency pays nothing in another.
CreditKey = tuple[UUID, str]


def credit_changes(
    totals: Sequence[tuple[CreditKey, int]], balances: Mapping[CreditKey, int]
) -> list[int]:
    """By how much each document changes its account's credit, in their order and in minor units.

    A negative total is left with the account; a positive one takes what is there, up to the whole.
    """
    left = dict(balances)
    changes = []
    for key, total_minor in totals:
        change = 0
        if left or total_minor < 0:
            balance = left.get(key, 0)
            change = -min(total_minor, balance)
            left[key] = balance + change
        changes.append(change)
    return changes


def shares_of_credit(credit_minor: int, due_minor: Sequence[int]) -> list[int]:
    """What credit pays of each debt, in their order and in minor units: one is paid after the other, as
    long as there is any.
    """
    left, shares = credit_minor, []
    for due in due_minor:
        share = min(due, left)
        left -= share
        shares.append(share)
    return shares
