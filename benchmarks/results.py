"""What does a benchmark say, and how is it shown?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table


@dataclass(frozen=True, slots=True)
class Row:
    """One measured value beside the ceiling that was measured in the same run.

    `ratio` is the part of the ceiling that is reached, 1 at best, whether more of the unit is better
    (rates) or less (times); of a `part` it is that part, 0 at best.
    """

    name: str
    value: float
    unit: str
    ceiling: float
    ceiling_name: str
    ratio: float


def rate(name: str, value: float, *, unit: str, ceiling: float, ceiling_name: str) -> Row:
    """A row of which more is better."""
    return Row(name, value, unit, ceiling, ceiling_name, value / ceiling)


def duration(name: str, value: float, *, unit: str, ceiling: float, ceiling_name: str) -> Row:
    """A row of which less is better."""
    return Row(name, value, unit, ceiling, ceiling_name, ceiling / value)


def part(name: str, value: float, *, unit: str, whole: float, whole_name: str) -> Row:
    """A row that is a part of a whole, which should be small."""
    return Row(name, value, unit, whole, whole_name, value / whole)


def as_table(rows: Sequence[Row]) -> Table:
    """The rows for a terminal."""
    table = Table(title="Billwright beside the limits of this machine")
    table.add_column("what")
    table.add_column("measured", justify="right")
    table.add_column("ceiling", justify="right")
    table.add_column("unit")
    table.add_column("ratio", justify="right")
    table.add_column("the ceiling is")
    for row in rows:
        table.add_row(
            row.name,
            _short(row.value),
            _short(row.ceiling),
            row.unit,
            f"{row.ratio:.2f}",
            row.ceiling_name,
        )
    return table


def write(rows: Sequence[Row], path: Path) -> None:
    """Keep the rows as JSON, a list of objects with the fields of `Row`."""
    fields = Row.__dataclass_fields__
    content = [{name: getattr(row, name) for name in fields} for row in rows]
    path.write_text(json.dumps(content, indent=2) + "\n")


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
