"""What may notifications refuse?"""

from billwright.kernel.refusal import Category, RefusalCode

notification_request_unknown = RefusalCode(
    "notification_request_unknown",
    Category.NOT_FOUND,
    "There is no notification request {request_id}.",
)
invoice_not_sendable = RefusalCode(
    "invoice_not_sendable",
    Category.CONFLICT,
    "A {kind} that is {state} is not sent: only what was finalized and is not void.",
)
recipient_missing = RefusalCode(
    "recipient_missing",
    Category.CONFLICT,
    "The account {account_id} has neither a mail address nor a contact for billing.",
)
