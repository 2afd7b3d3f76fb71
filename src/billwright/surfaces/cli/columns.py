"""How are rows printed so that people and programs can read them?"""

from __future__ import annotations

from collections.abc import Sequence


def in_columns(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """One line for each row, however narrow the terminal is: nothing is cut or wrapped."""
    lines = [headings, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
