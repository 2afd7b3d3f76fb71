"""What may the catalog refuse?"""

from billwright.kernel.refusal import Category, RefusalCode

plan_unknown = RefusalCode("plan_unknown", Category.NOT_FOUND, "There is no plan {plan_code}.")
plan_reference_unknown = RefusalCode(
    "plan_unknown_here", Category.INVALID, "There is no plan {plan_code}."
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
price_currencies_differ = RefusalCode(
    "price_currencies_differ",
    Category.INVALID,
    "Every component must have exactly one price in each of the plan's currencies ({currencies}).",
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
