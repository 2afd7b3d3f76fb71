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
    "The API key or the session is unknown, revoked or expired.",
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
    "scope_missing", Category.FORBIDDEN, "The caller lacks the scope {scope}."
)

# What existing clients know to the letter stands in the manager API's own table of messages.
user_unknown = RefusalCode("user_unknown", Category.NOT_FOUND, "There is no user {user_id}.")
email_taken = RefusalCode(
    "email_taken", Category.CONFLICT, "Another user has the e-mail address {email}."
)
email_malformed = RefusalCode(
    "email_malformed", Category.INVALID, "An e-mail address looks like ada@northlight.example."
)
password_too_short = RefusalCode(
    "password_too_short", Category.INVALID, "A password has 8 characters or more."
)
password_too_long = RefusalCode(
    "password_too_long", Category.INVALID, "A password has at most 1024 bytes."
)
signup_disabled = RefusalCode("signup_disabled", Category.UNAVAILABLE, "Signup is disabled")
sign_in_failed = RefusalCode(
    "sign_in_failed", Category.UNAUTHENTICATED, "Invalid email or password"
)
user_locked = RefusalCode(
    "user_locked",
    Category.UNAUTHENTICATED,
    "This account is locked. Please contact an administrator.",
)
email_not_confirmed = RefusalCode(
    "email_not_confirmed",
    Category.UNAUTHENTICATED,
    "Email not confirmed. Please confirm your email before logging in.",
)
code_invalid = RefusalCode(
    "code_invalid", Category.INVALID, "The code is wrong, used or expired; ask for another one."
)
password_wrong = RefusalCode(
    "password_wrong", Category.UNAUTHENTICATED, "The current password is wrong."
)
password_absent = RefusalCode(
    "password_absent", Category.INVALID, "This user signs in elsewhere and has no password."
)
session_missing = RefusalCode(
    "session_missing", Category.UNAUTHENTICATED, "Missing or invalid authorization token"
)
session_invalid = RefusalCode(
    "session_invalid", Category.UNAUTHENTICATED, "Invalid or expired token"
)
session_over = RefusalCode("session_over", Category.UNAUTHENTICATED, "Session is no longer valid.")
own_user_locked = RefusalCode(
    "own_user_locked", Category.INVALID, "Nobody locks or unlocks themselves."
)
last_admin = RefusalCode(
    "last_admin", Category.CONFLICT, "The last administrator cannot be removed, locked or demoted."
)
admin_exists = RefusalCode(
    "admin_exists", Category.CONFLICT, "This tenant has an administrator already: {email}."
)
token_unknown = RefusalCode("token_unknown", Category.NOT_FOUND, "There is no token {token_id}.")
token_invalid = RefusalCode("token_invalid", Category.UNAUTHENTICATED, "Invalid token")
token_scope_unknown = RefusalCode(
    "token_scope_unknown", Category.INVALID, "{scope!r} is no scope of tokens."
)
token_scope_not_grantable = RefusalCode(
    "token_scope_not_grantable",
    Category.FORBIDDEN,
    "The role {role} cannot give the scope {scope}.",
)
token_expires_in_past = RefusalCode(
    "token_expires_in_past", Category.INVALID, "A token cannot expire in the past."
)
token_name_missing = RefusalCode(
    "token_name_missing", Category.INVALID, "A token needs a name by which people know it."
)
token_scopes_missing = RefusalCode(
    "token_scopes_missing", Category.INVALID, "A token needs a scope."
)
token_without_sign_in = RefusalCode(
    "token_without_sign_in",
    Category.INVALID,
    "Only a user who can sign in with a password or elsewhere can have a token.",
)
role_missing = RefusalCode("role_missing", Category.FORBIDDEN, "Forbidden resource")
session_not_interactive = RefusalCode(
    "session_not_interactive",
    Category.FORBIDDEN,
    "This is not open to personal access tokens.",
)
token_scope_missing = RefusalCode(
    "token_scope_missing", Category.FORBIDDEN, "The token lacks the scope {scope}."
)
issuer_unavailable = RefusalCode(
    "issuer_unavailable",
    Category.UNAVAILABLE,
    "Whether the token is valid cannot be found out now; send it again later.",
)
