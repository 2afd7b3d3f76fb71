"""Does the demo notice when something is billed wrongly?"""

from __future__ import annotations

from typing import Any

import pytest

from billwright.surfaces.cli.demo_checks import (
    changed_invoices,
    wrong_numbers,
    wrong_periods,
    wrong_sums,
)


def invoice(number: str, start: str, end: str) -> dict[str, Any]:
    return {"number": number, "period_start": start, "period_end": end}


JANUARY = invoice("INV-1", "2026-01-31T09:00:00Z", "2026-02-28T09:00:00Z")
FEBRUARY = invoice("INV-2", "2026-02-28T09:00:00Z", "2026-03-31T08:00:00Z")


def test_seamless_periods_are_right():
    assert list(wrong_periods([JANUARY, FEBRUARY], expected=2)) == []


@pytest.mark.parametrize(
    ("invoices", "said"),
    [
        ([JANUARY], "there are 1 invoices instead of 2"),
        ([JANUARY, {**FEBRUARY, "period_start": "2026-03-01T09:00:00Z"}], "INV-2 begins at"),
        ([JANUARY, JANUARY], "but INV-1 begins at"),
        (
            [JANUARY, {**FEBRUARY, "period_end": JANUARY["period_end"]}],
            "INV-2 is for no time at all",
        ),
    ],
)
def test_gaps_overlaps_and_missing_periods_are_found(invoices, said):
    assert any(said in problem for problem in wrong_periods(invoices, expected=2))


def money(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def test_sums_are_compared_to_the_cent():
    right = {
        "number": "INV-1",
        "subtotal": money("0.30"),
        "tax": money("0.06"),
        "total": money("0.36"),
        "lines": [
            {"amount": money("0.10"), "tax": money("0.02")},
            {"amount": money("0.20"), "tax": money("0.04")},
        ],
    }
    assert list(wrong_sums(right)) == []
    assert list(wrong_sums({**right, "subtotal": money("0.31"), "total": money("0.37")})) == [
        "INV-1: the lines do not make 0.31"
    ]
    assert len(list(wrong_sums({**right, "tax": money("0.07")}))) == 2


@pytest.mark.parametrize(
    ("numbers", "problems"),
    [
        ([], []),
        (["INV-2026-00002", "INV-2026-00001", "INV-2027-00001"], []),
        (["INV-2026-00001", "INV-2026-00003"], ["INV-2026-: 3 follows 1"]),
        (["INV-2026-00001", "INV-2026-00001"], ["INV-2026-: 1 follows 1"]),
        (["INV-2026-00002"], ["INV-2026-: the first number is 2"]),
        (["DRAFT"], ["DRAFT is no number of a series"]),
    ],
)
def test_gaps_and_repetitions_of_numbers_are_found(numbers, problems):
    assert list(wrong_numbers(numbers)) == problems


@pytest.mark.parametrize(
    ("after", "problems"),
    [
        ([("INV-1", ["a", "b"])], []),
        (
            [],
            [
                "there were 1 invoices, and now there are 0",
                "2 charges on them, and now there are 0",
            ],
        ),
        (
            [("INV-1", ["a", "b"]), ("INV-2", ["c"])],
            [
                "there were 1 invoices, and now there are 2",
                "2 charges on them, and now there are 3",
            ],
        ),
        ([("INV-1", ["a", "b", "c"])], ["now there are 3", "INV-1 has changed"]),
        ([("INV-9", ["a", "b"])], ["INV-1 has changed"]),
        ([("INV-1", ["a", "c"])], ["INV-1 has changed"]),
    ],
)
def test_whatever_a_repetition_changes_is_found(after, problems):
    def invoices(described):
        return [
            {"number": number, "lines": [{"id": charge} for charge in charges]}
            for number, charges in described
        ]

    before = invoices([("INV-1", ["a", "b"])])
    found = list(changed_invoices(before=before, after=invoices(after)))
    assert len(found) == len(problems)
    assert all(problem in each for each, problem in zip(found, problems, strict=True))
