"""What may promotions refuse?"""

from billwright.kernel.refusal import Category, RefusalCode

promotion_unknown = RefusalCode(
    "promotion_unknown", Category.NOT_FOUND, "There is no promotion {promotion_code}."
)
promotion_reference_unknown = RefusalCode(
    "promotion_unknown_here", Category.INVALID, "There is no promotion {promotion_code}."
)
redemption_unknown = RefusalCode(
    "redemption_unknown", Category.NOT_FOUND, "There is no redemption {redemption_id}."
)
promotion_stale = RefusalCode(
    "promotion_stale",
    Category.STALE,
    "The promotion {promotion_code} has changed since version {expected}; it is at version {actual}.",
)
promotion_code_taken = RefusalCode(
    "promotion_code_taken",
    Category.CONFLICT,
    "A promotion with the code {promotion_code} exists already.",
)
promotion_code_invalid = RefusalCode(
    "promotion_code_invalid",
    Category.INVALID,
    "A code is 1 to 100 letters, digits and the signs _ . : -, and begins with a letter or a digit.",
)
promotion_term_missing = RefusalCode(
    "promotion_term_missing", Category.INVALID, "A promotion of the kind {kind} needs {term}."
)
promotion_term_unfit = RefusalCode(
    "promotion_term_unfit", Category.INVALID, "A promotion of the kind {kind} has no {term}."
)
promotion_term_out_of_range = RefusalCode(
    "promotion_term_out_of_range",
    Category.INVALID,
    "{term} must be more than 0 and at most {largest}.",
)
promotion_percent_too_fine = RefusalCode(
    "promotion_percent_too_fine",
    Category.INVALID,
    "{percent} has more than {places} decimal places.",
)
promotion_duration_unfit = RefusalCode(
    "promotion_duration_unfit",
    Category.INVALID,
    "A promotion of the kind {kind} lasts as long as its count says: its duration is once.",
)
promotion_duration_periods_mismatch = RefusalCode(
    "promotion_duration_periods_mismatch",
    Category.INVALID,
    "A number of periods belongs to the duration periods, which cannot do without one.",
)
promotion_currency_missing = RefusalCode(
    "promotion_currency_missing", Category.INVALID, "An amount needs a currency."
)
promotion_window_empty = RefusalCode(
    "promotion_window_empty",
    Category.INVALID,
    "A promotion that is redeemable until {until} cannot begin at {begins_at}.",
)
promotion_maximum_too_low = RefusalCode(
    "promotion_maximum_too_low",
    Category.INVALID,
    "The promotion was redeemed {redemptions} times already.",
)
promotion_archived = RefusalCode(
    "promotion_archived", Category.CONFLICT, "The promotion {promotion_code} is archived."
)
promotion_not_begun = RefusalCode(
    "promotion_not_begun",
    Category.CONFLICT,
    "The promotion {promotion_code} can be redeemed from {redeemable_from} on.",
)
promotion_over = RefusalCode(
    "promotion_over",
    Category.CONFLICT,
    "The promotion {promotion_code} could be redeemed until {redeemable_until}.",
)
promotion_used_up = RefusalCode(
    "promotion_used_up",
    Category.CONFLICT,
    "The promotion {promotion_code} was redeemed {maximum} times, which is all there is.",
)
promotion_used_up_by_account = RefusalCode(
    "promotion_used_up_by_account",
    Category.CONFLICT,
    "An account may redeem the promotion {promotion_code} {maximum} times, and this one has.",
)
promotion_not_for_plan = RefusalCode(
    "promotion_not_for_plan",
    Category.CONFLICT,
    "The promotion {promotion_code} is not for the plan {plan_code}.",
)
promotion_not_for_currency = RefusalCode(
    "promotion_not_for_currency",
    Category.CONFLICT,
    "The promotion {promotion_code} is for subscriptions in {expected}, not in {currency}.",
)
promotion_not_for_customer = RefusalCode(
    "promotion_not_for_customer",
    Category.CONFLICT,
    "The promotion {promotion_code} is for {customers} customers only.",
)
promotion_redeemed_already = RefusalCode(
    "promotion_redeemed_already",
    Category.CONFLICT,
    "The subscription has the promotion {promotion_code} already.",
)
promotion_not_combinable = RefusalCode(
    "promotion_not_combinable",
    Category.CONFLICT,
    "The promotion {promotion_code} cannot be combined with another that the subscription has.",
)
