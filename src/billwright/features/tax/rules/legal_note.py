"""What does a document say about its tax treatment?"""

from __future__ import annotations

from billwright.features.tax.model import LegalNote

_ENGLISH = {
    LegalNote.REVERSE_CHARGE: (
        "Reverse charge: the customer is liable for the VAT"
        " (Articles 44 and 196 of Directive 2006/112/EC)."
    ),
    LegalNote.ONE_STOP_SHOP: (
        "VAT is charged at the rate of the customer's country and declared under the One Stop Shop"
        " (Article 58 of Directive 2006/112/EC)."
    ),
    LegalNote.EXPORT: (
        "Not subject to VAT: the place of supply is outside the European Union"
        " (Articles 44, 58 and 59 of Directive 2006/112/EC)."
    ),
    LegalNote.OUTSIDE_SCOPE: (
        "Not subject to VAT in the seller's country: the place of supply is where the customer"
        " belongs. A business customer accounts for any tax due there."
    ),
    LegalNote.SMALL_BUSINESS: "No VAT is charged: the seller is exempt as a small business.",
    LegalNote.SMALL_BUSINESS_AT: (
        "No VAT is charged: small business exemption under § 6 (1) no. 27 of the Austrian VAT Act"
        " (UStG 1994)."
    ),
    LegalNote.SMALL_BUSINESS_DE: (
        "No VAT is charged: small business exemption under § 19 of the German VAT Act (UStG)."
    ),
    LegalNote.SMALL_BUSINESS_EU: (
        "No VAT is charged: small business exemption under Article 284 of Directive 2006/112/EC."
    ),
    LegalNote.SMALL_BUSINESS_FR: (
        "No VAT is charged: TVA non applicable, art. 293 B du CGI (small business exemption)."
    ),
}
_GERMAN = {
    LegalNote.REVERSE_CHARGE: (
        "Steuerschuldnerschaft des Leistungsempfängers"
        " (Art. 44 und 196 der Richtlinie 2006/112/EG)."
    ),
    LegalNote.ONE_STOP_SHOP: (
        "Die Umsatzsteuer wird zum Satz des Landes des Kunden berechnet und im One-Stop-Shop"
        " erklärt (Art. 58 der Richtlinie 2006/112/EG)."
    ),
    LegalNote.EXPORT: (
        "Nicht steuerbar: Der Leistungsort liegt außerhalb der Europäischen Union"
        " (Art. 44, 58 und 59 der Richtlinie 2006/112/EG)."
    ),
    LegalNote.OUTSIDE_SCOPE: (
        "Im Land des Verkäufers nicht steuerbar: Der Leistungsort liegt beim Kunden. Ein Unternehmen"
        " als Kunde führt eine dort anfallende Steuer selbst ab."
    ),
    LegalNote.SMALL_BUSINESS: (
        "Es wird keine Umsatzsteuer berechnet: Der Verkäufer ist als Kleinunternehmen befreit."
    ),
    LegalNote.SMALL_BUSINESS_AT: (
        "Es wird keine Umsatzsteuer berechnet: Kleinunternehmerregelung nach § 6 Abs. 1 Z 27"
        " UStG 1994."
    ),
    LegalNote.SMALL_BUSINESS_DE: (
        "Es wird keine Umsatzsteuer berechnet: Kleinunternehmerregelung nach § 19 UStG."
    ),
    LegalNote.SMALL_BUSINESS_EU: (
        "Es wird keine Umsatzsteuer berechnet: Kleinunternehmerregelung nach Art. 284 der Richtlinie"
        " 2006/112/EG."
    ),
    LegalNote.SMALL_BUSINESS_FR: (
        "Es wird keine Umsatzsteuer berechnet: TVA non applicable, art. 293 B du CGI"
        " (Kleinunternehmerregelung)."
    ),
}


def legal_note(note: LegalNote, *, locale: str) -> str:
    """The note's text in the language of `locale` (a language tag): German, else English."""
    language = locale.replace("_", "-").partition("-")[0].lower()
    return (_GERMAN if language == "de" else _ENGLISH)[note]
