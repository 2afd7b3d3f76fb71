"""What may callbacks refuse?"""

from billwright.kernel.refusal import Category, RefusalCode

callback_unknown = RefusalCode(
    "callback_unknown", Category.NOT_FOUND, "There is no callback {callback_id}."
)
callback_provider_unknown = RefusalCode(
    "callback_provider_unknown",
    Category.NOT_FOUND,
    "There is no payment provider {provider!r} that sends callbacks.",
)
callback_without_tenant = RefusalCode(
    "callback_without_tenant",
    Category.UNAVAILABLE,
    "There is no tenant yet that a callback could be kept for.",
)
