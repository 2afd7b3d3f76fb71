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
