"""Is a text a VAT id, when is it asked for again, and what do notes say?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from billwright.features.tax.model import LegalNote, VatId, VatIdStatus
from billwright.features.tax.rules.legal_note import legal_note
from billwright.features.tax.rules.next_check import next_check_at
from billwright.features.tax.rules.vat_id import read_vat_id

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "country", "vat_id"),
    [
        ("DE136695976", "", VatId("DE", "DE136695976")),
        ("de 136 695 976", "", VatId("DE", "DE136695976")),
        ("136695976", "DE", VatId("DE", "DE136695976")),
        ("FR 61 954.506.077", "DE", VatId("FR", "FR61954506077")),
        ("ATU 13585627", "", VatId("AT", "ATU13585627")),
        ("U13585627", "AT", VatId("AT", "ATU13585627")),
        ("BE697449992", "", VatId("BE", "BE0697449992")),
        ("EL094259216", "", VatId("GR", "EL094259216")),
        ("GR 094259216", "", VatId("GR", "EL094259216")),
        ("094259216", "GR", VatId("GR", "EL094259216")),
        ("XI 980 7806 84", "", VatId("XI", "XI980780684")),
        ("GB 980 7806 84", "", VatId("GB", "GB980780684")),
        ("CHE-107.787.577 MWST", "", VatId("CH", "CHE107787577MWST")),
        ("NO 995 525 828 MVA", "", VatId("NO", "NO995525828MVA")),
        ("DE136695975", "", None),  # wrong check digit
        ("136695976", "", None),
        ("136695976", "US", None),
        ("12-3456789", "US", None),
        ("EU528003646", "", None),  # a number of the One Stop Shop is no VAT id
        ("", "DE", None),
        ("🙂", "DE", None),
    ],
)
def test_a_text_is_read_into_its_normal_form(text, country, vat_id):
    assert read_vat_id(text, country=country) == vat_id
    if vat_id is not None:
        assert read_vat_id(vat_id.number, country="") == vat_id


@pytest.mark.parametrize(
    ("status", "attempts", "pause"),
    [
        (VatIdStatus.VALID, 0, timedelta(days=30)),
        (VatIdStatus.INVALID, 0, timedelta(days=7)),
        (VatIdStatus.UNAVAILABLE, 1, timedelta(minutes=5)),
        (VatIdStatus.UNAVAILABLE, 2, timedelta(minutes=15)),
        (VatIdStatus.UNAVAILABLE, 5, timedelta(hours=12)),
        (VatIdStatus.UNAVAILABLE, 6, timedelta(days=1)),
        (VatIdStatus.UNAVAILABLE, 600, timedelta(days=1)),
    ],
)
def test_an_id_is_asked_for_again(status, attempts, pause):
    assert next_check_at(status, attempts=attempts, now=NOW) == NOW + pause


def test_every_note_has_its_texts():
    for note in LegalNote:
        english, german = legal_note(note, locale="en-GB"), legal_note(note, locale="de_AT")
        assert english != german
        assert legal_note(note, locale="fr") == english


def test_notes_cite_the_law():
    assert "196" in legal_note(LegalNote.REVERSE_CHARGE, locale="en")
    german = legal_note(LegalNote.REVERSE_CHARGE, locale="de")
    assert german.startswith("Steuerschuldnerschaft des Leistungsempfängers")
    assert "§ 19 UStG" in legal_note(LegalNote.SMALL_BUSINESS_DE, locale="de")
