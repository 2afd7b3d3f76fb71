"""What may payments refuse?"""

from billwright.kernel.refusal import Category, RefusalCode

payment_unknown = RefusalCode(
    "payment_unknown", Category.NOT_FOUND, "There is no payment {payment_id}."
)
payment_in_progress = RefusalCode(
    "payment_in_progress",
    Category.CONFLICT,
    "A payment of the invoice {invoice_id} is on its way; its outcome must be known first.",
)
provider_unknown = RefusalCode(
    "provider_unknown",
    Category.INVALID,
    "There is no payment provider {provider!r}; there are {providers}.",
)
currency_mismatch = RefusalCode(
    "currency_mismatch",
    Category.INVALID,
    "The invoice is in {invoice_currency}, not in {currency}.",
)
amount_not_positive = RefusalCode(
    "amount_not_positive", Category.INVALID, "A payment is more than nothing, not {amount}."
)
amount_above_due = RefusalCode(
    "amount_above_due", Category.INVALID, "{amount} is more than what is due, {due}."
)
amount_unsupported = RefusalCode(
    "amount_unsupported", Category.INVALID, "The provider {provider} cannot move {amount}."
)
checkout_refused = RefusalCode(
    "checkout_refused",
    Category.INVALID,
    "The provider {provider} opens no page for this: {failure_code}.",
)
dunning_policy_invalid = RefusalCode("dunning_policy_invalid", Category.INVALID, "{reason}")
