"""What may subscriptions refuse?"""

from billwright.kernel.refusal import Category, RefusalCode

subscription_unknown = RefusalCode(
    "subscription_unknown",
    Category.NOT_FOUND,
    "There is no subscription {subscription_id}.",
)
currency_not_sold = RefusalCode(
    "currency_not_sold",
    Category.INVALID,
    "The plan {plan_code} has no price in {currency}; it has prices in {currencies}.",
)
component_unknown = RefusalCode(
    "component_unknown",
    Category.INVALID,
    "The plan {plan_code} has no component {component_code}.",
)
charge_too_large = RefusalCode(
    "charge_too_large",
    Category.INVALID,
    "{quantity} units of {component_code} cost more in a period than one charge may be.",
)
subscription_external_id_taken = RefusalCode(
    "subscription_external_id_taken",
    Category.CONFLICT,
    "A subscription with the external id {external_id} exists already.",
)
version_stale = RefusalCode(
    "version_stale",
    Category.STALE,
    "The subscription has changed since version {expected}; it is at version {actual}.",
)
trial_end_invalid = RefusalCode(
    "trial_end_invalid",
    Category.INVALID,
    "A trial that ends at {current} can be extended to a later instant within two years, not to "
    "{trial_end}.",
)
trial_unknown = RefusalCode(
    "trial_unknown", Category.NOT_FOUND, "The subscription {subscription_id} has no trial."
)
trial_already_used = RefusalCode(
    "trial_already_used",
    Category.CONFLICT,
    "This customer has had its trial of the plan {plan_code} since {redeemed_on}.",
)
trial_used_with_payment_method = RefusalCode(
    "trial_used_with_payment_method",
    Category.CONFLICT,
    "A payment method of this account has been used for a trial of the plan {plan_code} before.",
)
trial_length_missing = RefusalCode(
    "trial_length_missing",
    Category.INVALID,
    "The plan {plan_code} has no trial of its own; say how long it is to be.",
)
trial_until_invalid = RefusalCode(
    "trial_until_invalid",
    Category.INVALID,
    "A trial that begins at {start} ends later than that and within two years, not at {trial_until}.",
)
trial_to_be_canceled = RefusalCode(
    "trial_to_be_canceled",
    Category.CONFLICT,
    "The trial is to be canceled at {cancel_at}; undo that first.",
)
cancellation_unknown = RefusalCode(
    "cancellation_unknown", Category.NOT_FOUND, "There is no cancellation {cancellation_id}."
)
report_period_invalid = RefusalCode(
    "report_period_invalid",
    Category.INVALID,
    "A report covers at least a day and at most {months} months, not {since} to {until}.",
)
effective_at_invalid = RefusalCode(
    "effective_at_invalid",
    Category.INVALID,
    "{effective_at} does not lie between {earliest} and {latest}.",
)
starts_at_invalid = RefusalCode(
    "starts_at_invalid",
    Category.INVALID,
    "A start at {starts_at} is {problem}.",
)
bills_from_invalid = RefusalCode(
    "bills_from_invalid",
    Category.INVALID,
    "Billing can begin where a period begins, such as {boundary}, not at {bills_from}.",
)
period_billed_elsewhere = RefusalCode(
    "period_billed_elsewhere",
    Category.CONFLICT,
    "What was paid for the time until {bills_from} is not known here, so that a change inside it cannot "
    "be reckoned with the proration {proration}: take none or full_reset, or the end of the period.",
)
component_not_optional = RefusalCode(
    "component_not_optional",
    Category.INVALID,
    "The component {component_code} belongs to the plan {plan_code} and is not an add-on.",
)
add_on_present = RefusalCode(
    "add_on_present",
    Category.CONFLICT,
    "The subscription has the add-on {component_code} already.",
)
add_on_absent = RefusalCode(
    "add_on_absent",
    Category.CONFLICT,
    "The subscription has no add-on {component_code}.",
)
currency_not_sold_after = RefusalCode(
    "currency_not_sold_after",
    Category.CONFLICT,
    "The plan {plan_code} has no price in {currency}, the subscription's currency.",
)
nothing_pending = RefusalCode(
    "nothing_pending",
    Category.CONFLICT,
    "Nothing is pending that could be undone.",
)
nothing_due = RefusalCode(
    "nothing_due",
    Category.CONFLICT,
    "Nothing is due before {next_action_at}.",
)
cancel_at_invalid = RefusalCode(
    "cancel_at_invalid",
    Category.INVALID,
    "{problem}",
)
resumes_at_invalid = RefusalCode(
    "resumes_at_invalid",
    Category.INVALID,
    "{resumes_at} is not in the future.",
)
usage_subject_unknown = RefusalCode(
    "usage_subject_unknown", Category.INVALID, "There is no subscription for {kind} {value}."
)
usage_subject_ambiguous = RefusalCode(
    "usage_subject_ambiguous",
    Category.INVALID,
    "There are {count} subscriptions for {kind} {value}; name one of them.",
)
