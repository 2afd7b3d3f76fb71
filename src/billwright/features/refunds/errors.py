"""What may refunds refuse?"""

from billwright.kernel.refusal import Category, RefusalCode

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
