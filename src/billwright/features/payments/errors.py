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
payment_method_unknown = RefusalCode(
    "payment_method_unknown",
    Category.NOT_FOUND,
    "There is no payment method {payment_method_id}.",
)
payment_method_removed = RefusalCode(
    "payment_method_removed",
    Category.CONFLICT,
    "The payment method {payment_method_id} was removed; its payer has to leave it again.",
)
payment_method_setup_unknown = RefusalCode(
    "payment_method_setup_unknown", Category.NOT_FOUND, "There is no setup {setup_id}."
)
refund_unknown = RefusalCode(
    "refund_unknown", Category.NOT_FOUND, "There is no refund {refund_id}."
)
refund_not_positive = RefusalCode(
    "refund_not_positive", Category.INVALID, "A refund is more than nothing, not {amount}."
)
nothing_to_refund = RefusalCode(
    "nothing_to_refund",
    Category.CONFLICT,
    "Of the payment {payment_id}, nothing is left that can be given back.",
)
refund_above_left = RefusalCode(
    "refund_above_left",
    Category.INVALID,
    "{amount} is more than the {left} that can be given back.",
)
refund_not_confirmable = RefusalCode(
    "refund_not_confirmable",
    Category.CONFLICT,
    "The refund {refund_id} is {state}, and the provider {provider} says how it ends.",
)
refund_not_retryable = RefusalCode(
    "refund_not_retryable",
    Category.CONFLICT,
    "The refund {refund_id} cannot be tried again, because {reason}.",
)
dispute_unknown = RefusalCode(
    "dispute_unknown", Category.NOT_FOUND, "There is no dispute {dispute_id}."
)
provider_missing = RefusalCode(
    "provider_missing", Category.INVALID, "No provider is set up that offers {capability}."
)
provider_not_named = RefusalCode(
    "provider_not_named",
    Category.INVALID,
    "Name one of the providers that offer {capability}: {providers}.",
)
provider_incapable = RefusalCode(
    "provider_incapable", Category.INVALID, "The provider {provider} does not offer {capability}."
)
provider_silent = RefusalCode(
    "provider_silent",
    Category.UNAVAILABLE,
    "The provider {provider} gives no answer; the same request may be sent again.",
)
redirect_url_invalid = RefusalCode(
    "redirect_url_invalid",
    Category.INVALID,
    "A payer is sent back to an address that begins with https://, or to this very machine.",
)
review_task_unknown = RefusalCode(
    "review_task_unknown", Category.NOT_FOUND, "There is no review task {task_id}."
)
callback_unknown = RefusalCode(
    "callback_unknown", Category.NOT_FOUND, "There is no callback {callback_id}."
)
callback_provider_unknown = RefusalCode(
    "callback_provider_unknown",
    Category.NOT_FOUND,
    "There is no payment provider {provider!r} that sends callbacks.",
)
callback_without_tenant = RefusalCode(
    "callback_without_tenant",
    Category.UNAVAILABLE,
    "There is no tenant yet that a callback could be kept for.",
)
payment_method_elsewhere = RefusalCode(
    "payment_method_elsewhere",
    Category.INVALID,
    "The payment method {payment_method_id} is kept by the provider {provider}.",
)
payment_method_unknown_here = RefusalCode(
    "payment_method_unknown_here",
    Category.INVALID,
    "The account has no payment method {payment_method_id} that is in use.",
)
payment_not_cancelable = RefusalCode(
    "payment_not_cancelable",
    Category.CONFLICT,
    "The payment {payment_id} does not wait for its payer, and its money may be on its way.",
)
outcome_known = RefusalCode(
    "outcome_known",
    Category.CONFLICT,
    "Of the payment {payment_id}, the provider says itself how it ends.",
)
