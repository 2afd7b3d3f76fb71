"""What may dunning refuse?"""

from billwright.kernel.refusal import Category, RefusalCode

dunning_policy_invalid = RefusalCode("dunning_policy_invalid", Category.INVALID, "{reason}")
dunning_policy_stale = RefusalCode(
    "dunning_policy_stale",
    Category.STALE,
    "The dunning policy is at version {actual}, not at version {expected}.",
)
payment_failure_unknown = RefusalCode(
    "payment_failure_unknown", Category.NOT_FOUND, "There is no payment failure {case_id}."
)
payment_failure_ended = RefusalCode(
    "payment_failure_ended",
    Category.CONFLICT,
    "The payment failure {case_id} is {state}, and nothing is pursued any more.",
)
payment_method_missing = RefusalCode(
    "payment_method_missing",
    Category.CONFLICT,
    "The account {account_id} has no payment method that could be charged.",
)
pause_until_invalid = RefusalCode(
    "pause_until_invalid", Category.INVALID, "{until} is not between now and two years from now."
)
