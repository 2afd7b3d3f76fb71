"""What may be refused to whoever asks a provider?"""

from billwright.kernel.refusal import Category, RefusalCode

provider_unknown = RefusalCode(
    "provider_unknown",
    Category.INVALID,
    "There is no payment provider {provider!r}; there are {providers}.",
)
amount_unsupported = RefusalCode(
    "amount_unsupported", Category.INVALID, "The provider {provider} cannot move {amount}."
)
checkout_refused = RefusalCode(
    "checkout_refused",
    Category.INVALID,
    "The provider {provider} opens no page for this: {failure_code}.",
)
provider_missing = RefusalCode(
    "provider_missing", Category.INVALID, "No provider is set up that offers {capability}."
)
provider_not_named = RefusalCode(
    "provider_not_named",
    Category.INVALID,
    "Name one of the providers that offer {capability}: {providers}.",
)
provider_incapable = RefusalCode(
    "provider_incapable", Category.INVALID, "The provider {provider} does not offer {capability}."
)
provider_silent = RefusalCode(
    "provider_silent",
    Category.UNAVAILABLE,
    "The provider {provider} gives no answer; the same request may be sent again.",
)
redirect_url_invalid = RefusalCode(
    "redirect_url_invalid",
    Category.INVALID,
    "A payer is sent back to an address that begins with https://, or to this very machine.",
)
