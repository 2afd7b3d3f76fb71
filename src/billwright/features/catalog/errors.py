"""What may the catalog refuse?"""

from billwright.kernel.refusal import Category, RefusalCode

plan_unknown = RefusalCode("plan_unknown", Category.NOT_FOUND, "There is no plan {plan_code}.")
plan_reference_unknown = RefusalCode(
    "plan_unknown_here", Category.INVALID, "There is no plan {plan_code}."
)
plan_version_unknown = RefusalCode(
    "plan_version_unknown",
    Category.NOT_FOUND,
    "There is no version {version_number} of a plan {plan_code}.",
)
plan_version_stale = RefusalCode(
    "plan_version_stale",
    Category.STALE,
    "The plan {plan_code} is at version {actual}, not at version {expected}.",
)
feature_stale = RefusalCode(
    "feature_stale",
    Category.STALE,
    "The feature {feature_code} has changed since version {expected}; it is at version {actual}.",
)
plan_stale = RefusalCode(
    "plan_stale",
    Category.STALE,
    "The plan {plan_code} has changed since revision {expected}; it is at revision {actual}.",
)
plan_archived = RefusalCode(
    "plan_archived", Category.CONFLICT, "The plan {plan_code} is archived and cannot be sold."
)
plan_code_taken = RefusalCode(
    "plan_code_taken", Category.CONFLICT, "A plan with the code {plan_code} exists already."
)
component_code_repeated = RefusalCode(
    "component_code_repeated", Category.INVALID, "Two components have the code {component_code}."
)
plan_without_prices = RefusalCode(
    "plan_without_prices",
    Category.INVALID,
    "A plan must have at least one component, which has a price.",
)
plan_term_out_of_range = RefusalCode(
    "plan_term_out_of_range",
    Category.INVALID,
    "{term} must be between {least} and {largest}.",
)
calendar_day_unsuitable = RefusalCode(
    "calendar_day_unsuitable",
    Category.INVALID,
    "A calendar day is for periods of months or years that are aligned to the calendar.",
)
component_timing_unsuitable = RefusalCode(
    "component_timing_unsuitable",
    Category.INVALID,
    "The component {component_code} is {kind} and must be charged {timing}.",
)
component_member_unsuitable = RefusalCode(
    "component_member_unsuitable",
    Category.INVALID,
    "The component {component_code} is {kind} and cannot have {member}.",
)
component_meter_missing = RefusalCode(
    "component_meter_missing",
    Category.INVALID,
    "The component {component_code} is usage and must name the meter that it counts.",
)
minimum_out_of_range = RefusalCode(
    "minimum_out_of_range",
    Category.INVALID,
    "A minimum must be greater than 0 and at most {largest_minor} minor units.",
)
minimum_without_price = RefusalCode(
    "minimum_without_price",
    Category.INVALID,
    "The component {component_code} may have one minimum in each currency of its prices; "
    "the one in {currency} is repeated or has no price.",
)
price_currencies_differ = RefusalCode(
    "price_currencies_differ",
    Category.INVALID,
    "Every component must have exactly one price in each of the plan's currencies ({currencies}).",
)
feature_unknown = RefusalCode(
    "feature_unknown", Category.NOT_FOUND, "There is no feature {feature_code}."
)
feature_code_repeated = RefusalCode(
    "feature_code_repeated", Category.INVALID, "The feature {feature_code} is given twice."
)
feature_kind_differs = RefusalCode(
    "feature_kind_differs",
    Category.INVALID,
    "The feature {feature_code} exists and is {kind}.",
)
feature_value_invalid = RefusalCode(
    "feature_value_invalid",
    Category.INVALID,
    "The feature {feature_code} is {kind} and takes {expected}.",
)
feature_reference_unknown = RefusalCode(
    "feature_unknown_here", Category.INVALID, "There is no feature {feature_code}."
)
feature_code_taken = RefusalCode(
    "feature_code_taken",
    Category.CONFLICT,
    "A feature with the code {feature_code} exists already.",
)
feature_member_unsuitable = RefusalCode(
    "feature_member_unsuitable",
    Category.INVALID,
    "The feature {feature_code} is {kind} and cannot have {member}.",
)
feature_term_unsuitable = RefusalCode(
    "feature_term_unsuitable",
    Category.INVALID,
    "The feature {feature_code} cannot have {term}, which belongs to {belongs_to}.",
)
feature_term_missing = RefusalCode(
    "feature_term_missing",
    Category.INVALID,
    "The feature {feature_code} must have {term}, because it has {needed_by}.",
)
feature_term_out_of_range = RefusalCode(
    "feature_term_out_of_range",
    Category.INVALID,
    "{term} of the feature {feature_code} must be between {least} and {largest}.",
)
feature_add_on_unknown = RefusalCode(
    "feature_add_on_unknown",
    Category.INVALID,
    "The feature {feature_code} comes with {add_on}, which is no optional component of the plan.",
)
