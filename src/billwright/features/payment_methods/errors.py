"""What may payment methods refuse?"""

from billwright.kernel.refusal import Category, RefusalCode

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
