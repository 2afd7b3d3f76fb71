"""What may accounts refuse?"""

from billwright.kernel.refusal import Category, RefusalCode

account_unknown = RefusalCode(
    "account_unknown", Category.NOT_FOUND, "There is no account {account_id}."
)
account_reference_unknown = RefusalCode(
    "account_unknown_here", Category.INVALID, "There is no account {account_id}."
)
account_closed = RefusalCode(
    "account_closed", Category.CONFLICT, "The account {account_id} is closed."
)
account_parked = RefusalCode(
    "account_parked",
    Category.CONFLICT,
    "The account {account_id} cannot be billed until this is mended: {reason}",
)
account_version_stale = RefusalCode(
    "account_version_stale",
    Category.STALE,
    "The account has changed since version {expected}; it is at version {actual}.",
)
account_not_closable = RefusalCode(
    "account_not_closable",
    Category.CONFLICT,
    "The account {account_id} cannot be closed while something of it goes on.",
)
contact_unknown = RefusalCode(
    "contact_unknown", Category.NOT_FOUND, "The account has no contact {contact_id}."
)
contact_repeated = RefusalCode(
    "contact_repeated",
    Category.CONFLICT,
    "The account has a contact with this address and the role {role} already.",
)
contacts_too_many = RefusalCode(
    "contacts_too_many", Category.CONFLICT, "The account has {maximum} contacts already."
)
contact_version_stale = RefusalCode(
    "contact_version_stale",
    Category.STALE,
    "The contact has changed since version {expected}; it is at version {actual}.",
)
billing_day_mismatch = RefusalCode(
    "billing_day_mismatch",
    Category.INVALID,
    "A billing day belongs to the collection policy billing_day, which cannot do without one.",
)
external_id_taken = RefusalCode(
    "external_id_taken", Category.CONFLICT, "The external id {external_id} is already in use."
)
test_clock_unknown = RefusalCode(
    "test_clock_unknown", Category.NOT_FOUND, "There is no test clock {test_clock_id}."
)
test_clock_reference_unknown = RefusalCode(
    "test_clock_unknown_here", Category.INVALID, "There is no test clock {test_clock_id}."
)
test_clock_busy = RefusalCode(
    "test_clock_busy", Category.CONFLICT, "The test clock {test_clock_id} is already advancing."
)
test_clock_backwards = RefusalCode(
    "test_clock_backwards",
    Category.INVALID,
    "A test clock only moves forward; it stands at {now}.",
)
test_clock_too_far = RefusalCode(
    "test_clock_too_far",
    Category.INVALID,
    "A test clock moves at most {limit_days} days at a time.",
)
