"""Which templates make numbers that are good for a document?"""

from __future__ import annotations

import re

from billwright.features.invoicing.errors import series_template_invalid
from billwright.features.invoicing.rules.numbering import document_number

_LONGEST = 40
_PADDING = re.compile(r":0\d+d\}")
_PARTS = re.compile(
    r"(?P<text>[A-Za-z0-9 ._/-]+)|\{(?P<name>year|year2|month|sequence)(?P<padding>:0[1-9]d)?\}"
)
# As long as a sequence gets in ten thousand years of a thousand invoices a day.
_WIDEST_SEQUENCE = 10
_WIDTHS = {"year": 4, "year2": 2, "month": 2}


def check_template(template: str, *, restarts_yearly: bool) -> None:
    """Accept letters, digits, spaces and `. _ / -` with the placeholders `{year}`, `{year2}` (its last
    two digits), `{month}` (two digits) and once `{sequence}`, which may be padded: `{sequence:05d}`.

    The widths of all but the sequence are fixed, so that no two documents of a series can get one
    number. Refuses: `series_template_invalid`.
    """
    names: list[str] = []
    length = position = 0
    while position < len(template):
        part = _PARTS.match(template, position)
        if part is None or (part["padding"] and part["name"] != "sequence"):
            raise _refused(f"it has something at {template[position:]!r} that is not known")
        if part["text"]:
            length += len(part["text"])
        else:
            names.append(part["name"])
            length += _WIDTHS.get(part["name"], _WIDEST_SEQUENCE)
        position = part.end()
    if names.count("sequence") != 1:
        raise _refused("it must contain the sequence once")
    if restarts_yearly and not {"year", "year2"} & set(names):
        raise _refused("it must contain the year when the sequence restarts with it")
    if length > _LONGEST:
        raise _refused(f"its numbers would be longer than {_LONGEST} characters")
    if template != template.strip():
        raise _refused("it must not begin or end with a space")


def make_equal_numbers(template: str, *, other: str) -> bool:
    """Whether two series would sooner or later give one number to two documents."""
    unpadded = [_PADDING.sub("}", each) for each in (template, other)]
    first, second = (document_number(each, year=2026, month=1, sequence=7) for each in unpadded)
    return first == second


def _refused(reason: str) -> Exception:
    return series_template_invalid(pointer="/template", reason=reason)
