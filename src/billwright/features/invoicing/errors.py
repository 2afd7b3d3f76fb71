"""What may invoicing refuse?"""

from billwright.kernel.refusal import Category, RefusalCode

invoice_unknown = RefusalCode(
    "invoice_unknown", Category.NOT_FOUND, "There is no invoice {invoice_id}."
)
invoice_reference_unknown = RefusalCode(
    "invoice_unknown_here", Category.INVALID, "There is no invoice {invoice_id}."
)
invoice_not_payable = RefusalCode(
    "invoice_not_payable",
    Category.CONFLICT,
    "The invoice {invoice_id} is {state} and takes no payment.",
)
invoice_without_document = RefusalCode(
    "invoice_without_document",
    Category.CONFLICT,
    "The invoice {invoice_id} is a draft and has no document yet.",
)
