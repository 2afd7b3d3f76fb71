"""What may entitlements refuse?"""

from billwright.kernel.refusal import Category, RefusalCode

override_unknown = RefusalCode(
    "entitlement_override_unknown",
    Category.NOT_FOUND,
    "There is no entitlement override {override_id}.",
)
override_begins_in_past = RefusalCode(
    "entitlement_override_begins_in_past",
    Category.INVALID,
    "An override begins now, at {now}, or later.",
)
override_ends_before_begin = RefusalCode(
    "entitlement_override_ends_before_begin",
    Category.INVALID,
    "An override that begins at {effective_at} must expire later.",
)
subscription_not_of_account = RefusalCode(
    "subscription_not_of_account",
    Category.INVALID,
    "The account {account_id} has no subscription {subscription_id}.",
)
grant_unknown = RefusalCode(
    "entitlement_grant_unknown", Category.NOT_FOUND, "There is no entitlement grant {grant_id}."
)
grant_feature_not_metered = RefusalCode(
    "entitlement_grant_feature_not_metered",
    Category.INVALID,
    "The feature {feature_code} is not metered, so that there is nothing of it to use up.",
)
grant_needs_subscription = RefusalCode(
    "entitlement_grant_needs_subscription",
    Category.INVALID,
    "Each subscription has its own of {feature_code}: name the one to which it is granted.",
)
grant_is_for_account = RefusalCode(
    "entitlement_grant_is_for_account",
    Category.INVALID,
    "What an account's subscriptions give of {feature_code} is one for all of them: name none.",
)
grant_begins_in_past = RefusalCode(
    "entitlement_grant_begins_in_past",
    Category.INVALID,
    "A grant takes effect now, at {now}, or later.",
)
grant_ends_before_begin = RefusalCode(
    "entitlement_grant_ends_before_begin",
    Category.INVALID,
    "A grant that takes effect at {effective_at} must expire later.",
)
grant_amount_invalid = RefusalCode(
    "entitlement_grant_amount_invalid",
    Category.INVALID,
    "{member} must be {least} or more, with at most 14 digits before and 6 behind the point.",
)
grant_rollover_unfit = RefusalCode(
    "entitlement_grant_rollover_unfit",
    Category.INVALID,
    "What is kept at least, {rollover_min}, is more than what is kept at most, {rollover_max}.",
)
grant_recurrence_too_short = RefusalCode(
    "entitlement_grant_recurrence_too_short",
    Category.INVALID,
    "A grant is issued again once a day at most.",
)
grant_over = RefusalCode(
    "entitlement_grant_over",
    Category.CONFLICT,
    "The entitlement grant {grant_id} has expired or was voided.",
)
reservation_unknown = RefusalCode(
    "entitlement_reservation_unknown",
    Category.NOT_FOUND,
    "There is no reservation {reservation_id}.",
)
reservation_differs = RefusalCode(
    "entitlement_reservation_differs",
    Category.CONFLICT,
    "The account has a reservation {client_id} of something else.",
)
reservation_not_entitled = RefusalCode(
    "entitlement_not_given",
    Category.CONFLICT,
    "Nothing gives {feature_code}, or a payment is missing: {reason}.",
)
reservation_not_countable = RefusalCode(
    "entitlement_not_reservable",
    Category.CONFLICT,
    "{feature_code} is not used up, so that nothing of it can be reserved.",
)
reservation_amount_invalid = RefusalCode(
    "entitlement_reservation_amount_invalid", Category.INVALID, "{why}"
)
reservation_subscription_ambiguous = RefusalCode(
    "entitlement_reservation_subscription_ambiguous",
    Category.INVALID,
    "{count} subscriptions of the account have {feature_code}: name the one that uses it.",
)
entitlement_exhausted = RefusalCode(
    "entitlement_exhausted",
    Category.CONFLICT,
    "Of the limit {limit} of {feature_code}, {used} is used and {remaining} remains.",
)
reservation_not_held = RefusalCode(
    "entitlement_reservation_not_held",
    Category.CONFLICT,
    "The reservation {reservation_id} is {state}. What was used without it is recorded as usage.",
)
reservation_too_small = RefusalCode(
    "entitlement_reservation_too_small",
    Category.INVALID,
    "The reservation is of {reserved}, which is less than {amount}.",
)
reservation_usage_not_counted = RefusalCode(
    "entitlement_reservation_usage_not_counted",
    Category.INVALID,
    "The meter does not count an event without one of {values} as its property {property}.",
)
