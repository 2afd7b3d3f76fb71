"""Which refusals belong to the manager API itself?"""

from __future__ import annotations

from billwright.kernel.refusal import Category, RefusalCode

tenant_not_served = RefusalCode("tenant_not_served", Category.INVALID, "Invalid or unknown tenant")
tenant_denied = RefusalCode("tenant_denied", Category.FORBIDDEN, "Access denied")
static_key_missing = RefusalCode(
    "static_key_missing", Category.UNAUTHENTICATED, "Missing authorization header"
)
static_key_malformed = RefusalCode(
    "static_key_malformed",
    Category.UNAUTHENTICATED,
    "The authorization header must be 'Bearer <key>' or 'ApiKey <key>'",
)
static_key_wrong = RefusalCode("static_key_wrong", Category.UNAUTHENTICATED, "Invalid API key")
user_needed = RefusalCode("user_needed", Category.INVALID, "User not authenticated")
admin_needed = RefusalCode("admin_needed", Category.FORBIDDEN, "Admin access required")
passwords_differ = RefusalCode(
    "passwords_differ", Category.INVALID, "The new password and its confirmation differ."
)
