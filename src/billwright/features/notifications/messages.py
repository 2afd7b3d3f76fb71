"""What does each message to a person say?

One file per language and type under `templates/` holds the words; it is rendered once into the plain
layout and once into the HTML layout, so that both always say the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_decimal
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from billwright.features.tenancy.model import SellerParty
from billwright.kernel.money import Money


class MessageType(StrEnum):
    INVOICE_FINALIZED = "invoice.finalized"
    PAYMENT_SUCCEEDED = "payment.succeeded"
    SUBSCRIPTION_STARTED = "subscription.started"
    SUBSCRIPTION_CANCELED = "subscription.canceled"
    TRIAL_ENDING = "trial.ending"
    RENEWAL_UPCOMING = "renewal.upcoming"
    PAYMENT_ACTION_REQUIRED = "payment.action_required"
    PAYMENT_METHOD_EXPIRING = "payment_method.expiring"
    REFUND_SUCCEEDED = "refund.succeeded"
    LIMIT_REACHED = "entitlement.limit_reached"
    DUNNING_PAYMENT_MISSING = "dunning.payment_missing"
    DUNNING_REMINDER = "dunning.reminder"
    DUNNING_NOTICE = "dunning.notice"
    DUNNING_ACCESS_LIMITED = "dunning.access_limited"
    DUNNING_ACCESS_SUSPENDED = "dunning.access_suspended"
    DUNNING_CANCELED = "dunning.canceled"
    DUNNING_UNPAID = "dunning.unpaid"
    DUNNING_RECOVERED = "dunning.recovered"
    USER_EMAIL_CONFIRMATION = "user.email_confirmation_requested"
    USER_PASSWORD_RESET = "user.password_reset_requested"  # noqa: S105 - a name
    USER_EMAIL_CHANGED = "user.email_changed"
    USER_REGISTRATION_REPEATED = "user.registration_repeated"


@dataclass(frozen=True, slots=True)
class MessageKeys:
    required: frozenset[str]
    optional: frozenset[str]


_MISSING = MessageKeys(
    frozenset({"account_name", "invoice_number", "amount_label"}),
    frozenset({"next_attempt_on_label", "pay_url"}),
)
_CONSEQUENCE = MessageKeys(
    frozenset({"account_name", "invoice_number"}),
    frozenset({"pay_url"}),
)
_CODE = MessageKeys(frozenset({"email", "code"}), frozenset({"console_url"}))

MESSAGE_KEYS: Mapping[MessageType, MessageKeys] = {
    MessageType.INVOICE_FINALIZED: MessageKeys(
        frozenset({"account_name", "invoice_number", "amount_label", "due_on_label"}),
        frozenset({"collection_label", "invoice_url", "pay_url", "total_label"}),
    ),
    MessageType.PAYMENT_SUCCEEDED: MessageKeys(
        frozenset({"account_name", "invoice_number", "amount_label", "paid_on_label"}),
        frozenset({"credit_label", "invoice_url"}),
    ),
    MessageType.SUBSCRIPTION_STARTED: MessageKeys(
        frozenset({"account_name", "plan_name", "effective_on_label"}),
        frozenset({"price_label", "trial_ends_on_label", "portal_url"}),
    ),
    MessageType.SUBSCRIPTION_CANCELED: MessageKeys(
        frozenset({"account_name", "plan_name", "effective_on_label"}),
        frozenset({"portal_url"}),
    ),
    MessageType.TRIAL_ENDING: MessageKeys(
        frozenset({"account_name", "plan_name", "ends_on_label"}),
        frozenset(
            {
                "charged_on_label",
                "amount_label",
                "collection_label",
                "needs_method_by_label",
                "stops_on_label",
                "portal_url",
            }
        ),
    ),
    MessageType.RENEWAL_UPCOMING: MessageKeys(
        frozenset({"account_name", "plan_name", "renews_on_label"}),
        frozenset({"amount_label", "collection_label", "portal_url"}),
    ),
    MessageType.PAYMENT_ACTION_REQUIRED: MessageKeys(
        frozenset({"account_name", "invoice_number", "amount_label", "expires_on_label"}),
        frozenset({"pay_url"}),
    ),
    MessageType.PAYMENT_METHOD_EXPIRING: MessageKeys(
        frozenset({"account_name", "method_label", "expires_on_label"}),
        frozenset({"portal_url"}),
    ),
    MessageType.REFUND_SUCCEEDED: MessageKeys(
        frozenset({"account_name", "invoice_number", "amount_label"}),
        frozenset({"invoice_url"}),
    ),
    MessageType.LIMIT_REACHED: MessageKeys(
        frozenset({"account_name", "feature_name", "limit_label"}),
        frozenset({"resets_on_label", "portal_url"}),
    ),
    MessageType.DUNNING_PAYMENT_MISSING: _MISSING,
    MessageType.DUNNING_REMINDER: _MISSING,
    MessageType.DUNNING_NOTICE: _MISSING,
    MessageType.DUNNING_ACCESS_LIMITED: _CONSEQUENCE,
    MessageType.DUNNING_ACCESS_SUSPENDED: _CONSEQUENCE,
    MessageType.DUNNING_CANCELED: _CONSEQUENCE,
    MessageType.DUNNING_UNPAID: _CONSEQUENCE,
    MessageType.DUNNING_RECOVERED: MessageKeys(
        frozenset({"account_name", "invoice_number"}), frozenset()
    ),
    MessageType.USER_EMAIL_CONFIRMATION: _CODE,
    MessageType.USER_PASSWORD_RESET: _CODE,
    MessageType.USER_EMAIL_CHANGED: MessageKeys(frozenset({"email"}), frozenset()),
    MessageType.USER_REGISTRATION_REPEATED: MessageKeys(
        frozenset({"email"}), frozenset({"console_url"})
    ),
}
"""Which data a request of each type carries.

Labels arrive formatted in the recipient's language: `price_label` is like "€19.00 per month",
`effective_on_label` the first day of a started and the last day of a canceled subscription,
`trial_ends_on_label` the last free day. `collection_label` names the payment method ("Visa ending in
4242") that is charged without the customer doing anything; without it they are asked to pay.
`total_label` is what an invoice came to on which nothing is due any more. `credit_label` is the part of
a payment that was more than was due, `next_attempt_on_label` the day on which a payment is tried again by
itself. Of a trial, `ends_on_label` is the last free day, `charged_on_label` the day on which the paid
life begins, `needs_method_by_label` the day by which a payment method must be there for that, and
`stops_on_label` the day on which it stops in any case. `resets_on_label` is the day on which a count
starts anew. `pay_url` leads to the page on which the invoice is
paid. `email` is the address that a user is written to; `code` and `console_url`, the page of the console
that asks for it, are known when the message leaves.
"""

LEADING_TO_PAY = frozenset(
    message_type for message_type, keys in MESSAGE_KEYS.items() if "pay_url" in keys.optional
)
OVERTAKEN_BY_PAYMENT = frozenset(
    {
        MessageType.PAYMENT_ACTION_REQUIRED,
        MessageType.DUNNING_PAYMENT_MISSING,
        MessageType.DUNNING_REMINDER,
        MessageType.DUNNING_NOTICE,
        MessageType.DUNNING_ACCESS_LIMITED,
        MessageType.DUNNING_ACCESS_SUSPENDED,
        MessageType.DUNNING_UNPAID,
    }
)
"""What is wrong to say once nothing is due on its invoice any more."""

LANGUAGES = frozenset({"en", "de"})
_PRODUCT_NAME = "Billwright"

# CLDR's currency spacing, which Babel leaves out: `CHF 5`, but `$5`.
_LETTER_BESIDE_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
_BLANK_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class MessageSender:
    """In whose name it is written; `legal_lines` stand at the foot of a business letter."""

    name: str
    contact_email: str | None = None
    legal_lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RenderedMessage:
    subject: str
    text: str
    html: str


def sender_of(seller: SellerParty | None) -> MessageSender:
    """What a seller's letter says of who writes it; the product, where no seller has a name yet."""
    if seller is None or not seller.name:
        return MessageSender(_PRODUCT_NAME)
    address = seller.address
    place = f"{address.postal_code} {address.city}".strip()
    street = ", ".join(part for part in (address.line1, address.line2, place) if part)
    lines = (street, seller.register, seller.tax_id, seller.legal_note)
    return MessageSender(seller.name, seller.email or None, tuple(line for line in lines if line))


def render_message(
    message_type: MessageType,
    *,
    locale: str,
    data: Mapping[str, str],
    sender: MessageSender,
) -> RenderedMessage:
    """The message in the locale's language, or in English when it has no words.

    Missing, unknown or unsafe data is a bug of the requester and raises `ValueError`.
    """
    _check(message_type, data)
    language = language_of(locale)
    name = f"{language}/{message_type.value}.jinja"
    context = {
        **dict.fromkeys(MESSAGE_KEYS[message_type].optional),
        # A line break inside a value would start a paragraph, or a header, that nobody wrote.
        **{key: _one_line(value) for key, value in data.items()},
        "sender": sender,
        "language": language,
    }
    plain = _PLAIN.get_template(name)
    subject = plain.render(context, layout="subject.txt", parts="parts.txt")
    text = plain.render(context, layout="layout.txt", parts="parts.txt")
    html = _HTML.get_template(name).render(context, layout="layout.html", parts="parts.html")
    return RenderedMessage(
        subject=_one_line(subject),
        text=_BLANK_LINES.sub("\n\n", text).strip() + "\n",
        html=html,
    )


def amount_label(amount: Money, *, locale: str) -> str:
    """An amount as the message's language writes it, with every decimal that the currency has."""
    babel_locale = _babel_locale(locale)
    pattern = copy(babel_locale.currency_formats["standard"])
    # CLDR hides the minor units of some currencies that still have them (ISO 4217).
    pattern.frac_prec = (amount.currency.exponent, amount.currency.exponent)
    text = pattern.apply(
        amount.to_decimal(), babel_locale, currency=amount.currency.code, currency_digits=False
    )
    return _LETTER_BESIDE_DIGIT.sub("\N{NO-BREAK SPACE}", text)


def quantity_label(quantity: Decimal, *, locale: str) -> str:
    """A number of units as the message's language writes it, without decimals that say nothing."""
    return format_decimal(quantity, "#,##0.######", _babel_locale(locale))


def day_label(day: date, *, locale: str) -> str:
    """A day as the message's language writes it, with the month's name."""
    return format_date(day, "long", _babel_locale(locale))


def language_of(locale: str) -> str:
    """The language of `LANGUAGES` in which a locale is written to."""
    language = locale.replace("_", "-").partition("-")[0].lower()
    return language if language in LANGUAGES else "en"


def _babel_locale(locale: str) -> Locale:
    """The locale that was asked for when the message is in its language, else that language's."""
    language = language_of(locale)
    try:
        wanted = Locale.parse(locale.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale(language)
    return wanted if wanted.language == language else Locale(language)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _check(message_type: MessageType, data: Mapping[str, str]) -> None:
    keys = MESSAGE_KEYS[message_type]
    if missing := keys.required - data.keys():
        raise ValueError(f"{message_type.value} lacks {sorted(missing)}")
    if unknown := data.keys() - keys.required - keys.optional:
        raise ValueError(f"{message_type.value} does not know {sorted(unknown)}")
    for key, value in data.items():
        if key.endswith("_url") and not value.startswith(("https://", "http://")):
            raise ValueError(f"{message_type.value}: {key} is not a web address")


_HTML = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=StrictUndefined,
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)
_PLAIN = _HTML.overlay(autoescape=False)
