"""How are entries of the audit log written into a file?"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from enum import StrEnum

from billwright.features.audit.model import AuditRecord
from billwright.runtime.db.json import to_json
from billwright.surfaces.manager_api.audit_models import AuditEntryResponse, audit_entry_response

CSV_HEADER = (
    *("id", "recordedAt", "occurredAt", "action", "subjectType", "subjectId"),
    *("actorKind", "actorName", "actorId", "cause", "address", "correlationId", "details"),
    *("tokenId", "tokenName"),
)
# What spreadsheets take for the beginning of a formula, in both widths.
_FORMULA_SIGNS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_CONTROLS = ("\t", "\r", "\n")


class ExportFormat(StrEnum):
    """Which file is wanted: one for spreadsheets, or one JSON object in each line."""

    CSV = "csv"
    NDJSON = "ndjson"

    @property
    def media_type(self) -> str:
        return "text/csv; charset=utf-8" if self is ExportFormat.CSV else "application/x-ndjson"

    @property
    def beginning(self) -> bytes:
        """What the file begins with, also if nothing follows."""
        return _csv([CSV_HEADER]) if self is ExportFormat.CSV else b""

    def written(self, entries: Sequence[AuditRecord]) -> bytes:
        """The lines of some entries."""
        if self is ExportFormat.CSV:
            return _csv([_cells(audit_entry_response(entry)) for entry in entries])
        lines = (
            audit_entry_response(entry).model_dump_json(by_alias=True) + "\n" for entry in entries
        )
        return "".join(lines).encode()


def _cells(entry: AuditEntryResponse) -> list[str]:
    """In the order of the header."""
    shown = entry.model_dump(mode="json", by_alias=True)
    actor = shown.pop("actor")
    token = actor.pop("token") or {"id": None, "name": None}
    shown |= {f"actor{name.title()}": value for name, value in actor.items()}
    shown |= {f"token{name.title()}": value for name, value in token.items()}
    shown["details"] = to_json(shown["details"])
    return [_harmless("" if (value := shown[name]) is None else value) for name in CSV_HEADER]


def _harmless(text: str) -> str:
    """Text that no spreadsheet calculates: others chose it, such as the name of an API key."""
    risky = text.startswith(_CONTROLS) or text.lstrip().startswith(_FORMULA_SIGNS)
    return f"'{text}" if risky else text


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    """RFC 4180: lines end with CR LF, and what needs quotes has them."""
    file = io.StringIO(newline="")
    csv.writer(file).writerows(rows)
    return file.getvalue().encode()
