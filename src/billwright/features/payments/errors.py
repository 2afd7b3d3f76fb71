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
review_task_unknown = RefusalCode(
    "review_task_unknown", Category.NOT_FOUND, "There is no review task {task_id}."
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
