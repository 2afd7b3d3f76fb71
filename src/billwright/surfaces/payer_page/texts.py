"""Which words does the page use in each language?"""

from __future__ import annotations

from dataclasses import dataclass

from billwright.features.payments.rules.payer_view import PayerView


@dataclass(frozen=True, slots=True, kw_only=True)
class PageTexts:
    """One language; `said` has a heading and an explanation for everything that can be seen."""

    said: dict[PayerView, tuple[str, str]]
    pay: str
    confirm: str
    again: str
    problem: str
    invoice: str
    due_on: str
    transfer: str
    holder: str
    iban: str
    bic: str
    bank: str
    reference: str
    without_bank: str
    not_found: tuple[str, str]
    unavailable: tuple[str, str]


_ENGLISH = PageTexts(
    said={
        PayerView.TO_PAY: (
            "Pay your invoice",
            (
                "You pay on the secure page of our payment provider. Later invoices can then be "
                "collected in the same way."
            ),
        ),
        PayerView.TO_TRANSFER: ("Pay your invoice", "Please transfer the amount to this account."),
        PayerView.TO_CONFIRM: (
            "Confirm your payment",
            "Your bank asks you to confirm this payment before it is made.",
        ),
        PayerView.PAYING: (
            "Thank you",
            "Your payment is being confirmed, which takes a moment. You can leave this page.",
        ),
        PayerView.PROCESSING: (
            "Your payment is on its way",
            "It can take some days until your bank has made it. There is nothing for you to do.",
        ),
        PayerView.PAID: ("This invoice is paid", "Thank you. There is nothing for you to do."),
        PayerView.NOTHING_DUE: ("There is nothing to pay", "Nothing is due on this invoice."),
    },
    pay="Pay now",
    confirm="Confirm the payment",
    again="I have not paid yet",
    problem="That did not work just now, and nothing was charged by it. Please try again in a few "
    "minutes, or get in touch with us.",
    invoice="Invoice",
    due_on="Due date",
    transfer="Bank transfer",
    holder="Account holder",
    iban="IBAN",
    bic="BIC",
    bank="Bank",
    reference="Reference",
    without_bank="Please get in touch with us about how to pay.",
    not_found=(
        "There is no such page",
        "Please check that the address is complete, exactly as it stands in the message.",
    ),
    unavailable=("This does not work just now", "Please try again in a few minutes."),
)
_GERMAN = PageTexts(
    said={
        PayerView.TO_PAY: (
            "Ihre Rechnung bezahlen",
            (
                "Sie zahlen auf der sicheren Seite unseres Zahlungsdienstleisters. Spätere Rechnungen "
                "können dann auf demselben Weg eingezogen werden."
            ),
        ),
        PayerView.TO_TRANSFER: (
            "Ihre Rechnung bezahlen",
            "Bitte überweisen Sie den Betrag auf dieses Konto.",
        ),
        PayerView.TO_CONFIRM: (
            "Ihre Zahlung bestätigen",
            "Ihre Bank bittet Sie, diese Zahlung zu bestätigen, bevor sie ausgeführt wird.",
        ),
        PayerView.PAYING: (
            "Vielen Dank",
            (
                "Ihre Zahlung wird gerade bestätigt; das dauert einen Moment. Sie können diese Seite "
                "verlassen."
            ),
        ),
        PayerView.PROCESSING: (
            "Ihre Zahlung ist unterwegs",
            "Es kann einige Tage dauern, bis Ihre Bank sie ausgeführt hat. Sie müssen nichts tun.",
        ),
        PayerView.PAID: ("Diese Rechnung ist bezahlt", "Vielen Dank. Sie müssen nichts mehr tun."),
        PayerView.NOTHING_DUE: ("Es ist nichts zu zahlen", "Auf dieser Rechnung ist nichts offen."),
    },
    pay="Jetzt zahlen",
    confirm="Zahlung bestätigen",
    again="Ich habe noch nicht gezahlt",
    problem="Das hat gerade nicht funktioniert; dabei wurde nichts abgebucht. Bitte versuchen Sie es in "
    "einigen Minuten noch einmal oder melden Sie sich bei uns.",
    invoice="Rechnung",
    due_on="Fällig am",
    transfer="Überweisung",
    holder="Kontoinhaber",
    iban="IBAN",
    bic="BIC",
    bank="Bank",
    reference="Verwendungszweck",
    without_bank="Bitte melden Sie sich bei uns, wie Sie zahlen können.",
    not_found=(
        "Diese Seite gibt es nicht",
        "Bitte prüfen Sie, ob die Adresse vollständig ist, genau wie sie in der Nachricht steht.",
    ),
    unavailable=(
        "Das geht gerade nicht",
        "Bitte versuchen Sie es in einigen Minuten noch einmal.",
    ),
)
TEXTS = {"en": _ENGLISH, "de": _GERMAN}
