"""What may identity refuse?"""

from billwright.kernel.refusal import Category, RefusalCode

credential_missing = RefusalCode(
    "credential_missing",
    Category.UNAUTHENTICATED,
    "Send an API key as 'Authorization: Bearer bw_...'.",
)
credential_invalid = RefusalCode(
    "credential_invalid",
    Category.UNAUTHENTICATED,
    "The API key is unknown, revoked or expired.",
)
scope_missing = RefusalCode(
    "scope_missing", Category.FORBIDDEN, "The API key lacks the scope {scope}."
)
