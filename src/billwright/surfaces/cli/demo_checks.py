"""Is what the server has billed right? Checked on nothing but its answers."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from billwright.surfaces.cli.api_client import JsonObject

_NUMBER = re.compile(r"(?P<series>.*?)(?P<value>\d+)")


def wrong_periods(invoices: Sequence[JsonObject], *, expected: int) -> Iterator[str]:
    """Invoices, oldest first, whose periods are not `expected` in number and seamless."""
    if len(invoices) != expected:
        yield f"there are {len(invoices)} invoices instead of {expected}"
    for earlier, later in pairwise(invoices):
        if earlier["period_end"] != later["period_start"]:
            yield (
                f"{earlier['number']} ends at {earlier['period_end']}, but {later['number']} "
                f"begins at {later['period_start']}"
            )
    for invoice in invoices:
        if datetime.fromisoformat(invoice["period_start"]) >= datetime.fromisoformat(
            invoice["period_end"]
        ):
            yield f"{invoice['number']} is for no time at all"


def wrong_sums(invoice: JsonObject) -> Iterator[str]:
    """Sums of an invoice with its lines that do not come out to the cent."""
    lines = invoice["lines"]
    for name, whole, parts in (
        ("the lines", invoice["subtotal"], [line["amount"] for line in lines]),
        ("the lines' taxes", invoice["tax"], [line["tax"] for line in lines]),
        ("subtotal and tax", invoice["total"], [invoice["subtotal"], invoice["tax"]]),
    ):
        if _amount(whole) != sum(map(_amount, parts)):
            yield f"{invoice['number']}: {name} do not make {whole['amount']}"


def wrong_numbers(numbers: Sequence[str]) -> Iterator[str]:
    """Gaps and repetitions in the numbers of all invoices of a tenant, series by series."""
    series: dict[str, list[int]] = defaultdict(list)
    for number in numbers:
        match = _NUMBER.fullmatch(number)
        if match is None:
            yield f"{number} is no number of a series"
        else:
            series[match["series"]].append(int(match["value"]))
    for name, values in series.items():
        values.sort()
        for earlier, later in pairwise(values):
            if later != earlier + 1:
                yield f"{name}: {later} follows {earlier}"
        if values[0] != 1:
            yield f"{name}: the first number is {values[0]}"


def changed_invoices(*, before: Sequence[JsonObject], after: Sequence[JsonObject]) -> Iterator[str]:
    """What a repetition has done to invoices with their lines, which it must leave as they were."""
    for name, earlier, later in (
        ("invoices", len(before), len(after)),
        ("charges on them", _charges(before), _charges(after)),
    ):
        if earlier != later:
            yield f"there were {earlier} {name}, and now there are {later}"
    for old, new in zip(before, after, strict=False):
        if old != new:
            yield f"{old['number']} has changed"


def _charges(invoices: Sequence[JsonObject]) -> int:
    return len({line["id"] for invoice in invoices for line in invoice["lines"]})


def _amount(money: JsonObject) -> Decimal:
    return Decimal(money["amount"])
