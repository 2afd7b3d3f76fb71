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
api_key_unknown = RefusalCode(
    "api_key_unknown", Category.NOT_FOUND, "There is no API key {api_key_id}."
)
api_key_name_missing = RefusalCode(
    "api_key_name_missing", Category.INVALID, "An API key needs a name by which people know it."
)
api_key_expires_in_past = RefusalCode(
    "api_key_expires_in_past", Category.INVALID, "An API key cannot expire in the past."
)
scope_unknown = RefusalCode(
    "scope_unknown", Category.INVALID, "{scope!r} is no scope; there are {scopes}."
)
scope_not_held = RefusalCode(
    "scope_not_held",
    Category.FORBIDDEN,
    "An API key cannot give the scope {scope}, which it does not have itself.",
)
scope_missing = RefusalCode(
    "scope_missing", Category.FORBIDDEN, "The API key lacks the scope {scope}."
)
