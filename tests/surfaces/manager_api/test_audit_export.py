"""Is an exported audit log harmless, whatever others wrote into it?"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from billwright.features.audit.model import AuditRecord
from billwright.kernel.actor import Actor, ActorKind, ActorToken
from billwright.kernel.ids import new_id
from billwright.surfaces.manager_api.audit_export import CSV_HEADER, ExportFormat


def entry(name: str = "Ada", **details: object) -> AuditRecord:
    return AuditRecord(
        id=new_id(),
        action="api_key.rename",
        subject_type="api_key",
        subject_id=new_id(),
        actor=Actor(ActorKind.API_KEY, name, new_id()),
        cause="test",
        address="::1",
        request_id=None,
        occurred_at=datetime(2026, 1, 15, 12, tzinfo=UTC),
        details=details,
    )


def table(*entries: AuditRecord) -> list[dict[str, str]]:
    text = (ExportFormat.CSV.beginning + ExportFormat.CSV.written(entries)).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_table_has_a_line_for_each_entry():
    one = entry(note='says "so";\r\nand more, in two lines')
    [row] = table(one)
    assert tuple(row) == CSV_HEADER
    assert (row["id"], row["actorName"], row["actorKind"]) == (str(one.id), "Ada", "api_key")
    assert (row["occurredAt"], row["address"]) == ("2026-01-15T12:00:00.000Z", "::1")
    assert row["correlationId"] == ""
    assert json.loads(row["details"]) == one.details


@pytest.mark.parametrize(
    "name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\uff1d1"]
)
def test_no_spreadsheet_calculates_what_somebody_chose_as_a_name(name):
    [row] = table(entry(name))
    assert row["actorName"] == f"'{name}"


def test_no_spreadsheet_calculates_the_name_of_a_token():
    token = ActorToken(new_id(), "=1+1")
    one = replace(entry(), actor=Actor(ActorKind.USER, "ada@rare.example", new_id(), token))
    [row] = table(one)
    assert (row["tokenId"], row["tokenName"]) == (str(token.id), "'=1+1")


def test_what_only_contains_a_sign_stays_as_it_is():
    [row] = table(entry("a=b+c@d"))
    assert row["actorName"] == "a=b+c@d"


def test_lines_of_json_are_entries_as_the_list_has_them():
    entries = [entry("=1"), entry(note="two\nlines")]
    lines = ExportFormat.NDJSON.written(entries).decode().splitlines()
    assert [json.loads(line)["id"] for line in lines] == [str(one.id) for one in entries]
    assert json.loads(lines[0])["actor"]["name"] == "=1"  # No spreadsheet reads it.
    assert json.loads(lines[1])["details"] == {"note": "two\nlines"}


def test_an_empty_table_still_has_its_header():
    assert table() == []
    assert ExportFormat.NDJSON.written([]) == b""
