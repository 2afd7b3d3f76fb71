"""Do all messages say what they should, in every language and in both forms?"""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from billwright.features.notifications.messages import (
    LANGUAGES,
    MESSAGE_KEYS,
    MessageSender,
    MessageType,
    RenderedMessage,
    render_message,
)

SENDER = MessageSender(
    name="Example & Sons",
    contact_email="billing@example.com",
    legal_lines=("Beispielstraße 12, 10115 Berlin", "HRB 123456"),
)
SAMPLES = {
    key: f"<{key}> & 'quoted'"
    for keys in MESSAGE_KEYS.values()
    for key in keys.required | keys.optional
} | {
    "invoice_url": "https://billing.example.com/invoices/1?a=1&b=2",
    "portal_url": "https://billing.example.com/portal",
    "console_url": "https://billing.example.com/confirm-email?email=books@riverbank.example",
    "pay_url": "https://billing.example.com/pay/AbC-_123",
}


class Text(HTMLParser):
    """What a reader sees, and which elements and addresses are in the page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.language: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        values = dict(attrs)
        self.addresses += [values[name] or "" for name in ("href", "src") if name in values]
        self.language = values.get("lang") or self.language

    def handle_data(self, data: str) -> None:
        self.seen.append(data)


def sample(message_type: MessageType, *, full: bool) -> dict[str, str]:
    keys = MESSAGE_KEYS[message_type]
    chosen = keys.required | (keys.optional if full else frozenset())
    return {key: SAMPLES[key] for key in chosen}


def rendered(
    message_type: MessageType, *, locale: str = "en", full: bool = True
) -> RenderedMessage:
    data = sample(message_type, full=full)
    return render_message(message_type, locale=locale, data=data, sender=SENDER)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("message_type", MessageType)
def test_both_forms_show_every_value(message_type, full, language):
    message = rendered(message_type, locale=language, full=full)
    page = Text(message.html)
    seen = "".join(page.seen)
    for key, value in sample(message_type, full=full).items():
        assert value in message.text, key
        assert value in page.addresses if key.endswith("_url") else value in seen, key
    for line in (SENDER.name, *SENDER.legal_lines, "billing@example.com"):
        assert line in message.text
        assert line in seen
    assert page.language == language
    assert "None" not in message.text + seen


@pytest.mark.parametrize("message_type", MessageType)
def test_values_are_never_markup_and_nothing_is_loaded(message_type):
    page = Text(rendered(message_type).html)
    allowed = {"html", "head", "meta", "title", "style", "body", "table", "tr", "td"}
    assert set(page.tags) <= allowed | {"h1", "p", "a", "br"}
    assert all(address.startswith(("https://billing.", "mailto:")) for address in page.addresses)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_text_reads_as_paragraphs(language):
    text = rendered(MessageType.SUBSCRIPTION_CANCELED, locale=language, full=False).text
    assert "\n\n\n" not in text
    assert text.endswith("billing@example.com\n")
    assert not text.startswith("\n")


def test_subjects():
    data = {
        "account_name": "Sample Studio",
        "invoice_number": "INV-7",
        "amount_label": "€5.00",
        "due_on_label": "December 6, 2026",
    }
    in_english, in_german = (
        render_message(MessageType.INVOICE_FINALIZED, locale=locale, data=data, sender=SENDER)
        for locale in ("en", "de")
    )
    assert in_english.subject == "Your invoice INV-7 from Example & Sons"
    assert in_german.subject == "Ihre Rechnung INV-7 von Example & Sons"
    assert "Please pay it by December 6, 2026." in in_english.text


def test_what_is_collected_automatically_asks_for_nothing():
    text = rendered(MessageType.INVOICE_FINALIZED, full=True).text
    assert "collected automatically" in text
    assert "Please pay" not in text


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("de-AT", "de"),
        ("de_CH", "de"),
        ("DE", "de"),
        ("en-GB", "en"),
        ("fr", "en"),
        ("", "en"),
        ("../../de", "en"),
    ],
)
def test_a_locale_falls_back_to_its_language_and_then_to_english(locale, language):
    message = rendered(MessageType.PAYMENT_SUCCEEDED, locale=locale)
    assert Text(message.html).language == language


def test_a_line_break_in_a_value_stays_inside_its_line():
    data = sample(MessageType.PAYMENT_SUCCEEDED, full=False)
    data["invoice_number"] = "INV-1\r\nBcc: everyone@example.com"
    message = render_message(MessageType.PAYMENT_SUCCEEDED, locale="en", data=data, sender=SENDER)
    assert "\n" not in message.subject
    assert "Invoice: INV-1 Bcc: everyone@example.com\n" in message.text


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"plan_name": "Team"}, "does not know"),
        ({"invoice_url": "javascript:alert(1)"}, "not a web address"),
    ],
)
def test_unknown_and_unsafe_data_is_refused(change, complaint):
    data = sample(MessageType.PAYMENT_SUCCEEDED, full=True) | change
    with pytest.raises(ValueError, match=complaint):
        render_message(MessageType.PAYMENT_SUCCEEDED, locale="en", data=data, sender=SENDER)


@pytest.mark.parametrize("message_type", MessageType)
def test_each_required_key_is_required(message_type):
    data = sample(message_type, full=False)
    for key in data:
        rest = {other: value for other, value in data.items() if other != key}
        with pytest.raises(ValueError, match=key):
            render_message(message_type, locale="en", data=rest, sender=SENDER)
