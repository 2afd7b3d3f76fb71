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
invoice_not_creditable = RefusalCode(
    "invoice_not_creditable",
    Category.CONFLICT,
    "The document {invoice_id} is a credit note, which is not credited itself.",
)
nothing_to_credit = RefusalCode(
    "nothing_to_credit", Category.CONFLICT, "Of what is to be credited, nothing is left."
)
credit_ambiguous = RefusalCode(
    "credit_ambiguous",
    Category.INVALID,
    "Either lines or one amount for all of them can be credited, not both.",
)
credit_line_unknown = RefusalCode(
    "credit_line_unknown",
    Category.INVALID,
    "The invoice has no line {charge_id} that can be credited.",
)
credit_line_repeated = RefusalCode(
    "credit_line_repeated", Category.INVALID, "The line {charge_id} is given twice."
)
credit_not_positive = RefusalCode(
    "credit_not_positive", Category.INVALID, "A credit is more than nothing."
)
credit_too_large = RefusalCode(
    "credit_too_large", Category.INVALID, "{amount} is more than the {left} that can be credited."
)
allocation_negative = RefusalCode(
    "allocation_negative", Category.INVALID, "No part of a credit is less than nothing."
)
allocation_differs = RefusalCode(
    "allocation_differs",
    Category.INVALID,
    "The parts make {allocated}, but the credit note is about {total}.",
)
credit_above_due = RefusalCode(
    "credit_above_due",
    Category.INVALID,
    "{amount} cannot be offset, since only {due} is due on the invoice.",
)
refund_above_paid = RefusalCode(
    "refund_above_paid",
    Category.INVALID,
    "{amount} cannot be refunded, since only {refundable} was paid and not refunded yet.",
)
invoice_not_voidable = RefusalCode(
    "invoice_not_voidable",
    Category.CONFLICT,
    "The invoice {invoice_id} cannot be voided, because {reason}; it can be credited.",
)
invoice_total_negative = RefusalCode(
    "invoice_total_negative",
    Category.INVALID,
    "The lines of the tax category {tax_category} are together less than nothing.",
)
line_too_large = RefusalCode(
    "line_too_large", Category.INVALID, "The line amounts to more than can be kept."
)
line_period_reversed = RefusalCode(
    "line_period_reversed", Category.INVALID, "The service ends before it begins."
)
charge_negative = RefusalCode(
    "charge_negative",
    Category.INVALID,
    "A charge is not less than nothing; to give something, grant the account credit.",
)
credit_insufficient = RefusalCode(
    "credit_insufficient",
    Category.CONFLICT,
    "The account has {balance} of credit, from which {amount} cannot be taken.",
)
series_template_invalid = RefusalCode(
    "series_template_invalid", Category.INVALID, "The template cannot be used: {reason}."
)
series_stale = RefusalCode(
    "series_stale",
    Category.STALE,
    "The series of numbers has changed since revision {expected}; it is at revision {actual}.",
)
series_number_taken = RefusalCode(
    "series_number_taken",
    Category.CONFLICT,
    "The next number would be {number}, which a document has already.",
)
invoice_stale = RefusalCode(
    "invoice_stale",
    Category.STALE,
    "The invoice {invoice_id} has changed: its version is {version}.",
)
invoice_without_line = RefusalCode(
    "invoice_without_line", Category.INVALID, "An invoice has at least one line."
)
series_template_shared = RefusalCode(
    "series_template_shared",
    Category.CONFLICT,
    "The other kind of document is numbered by {template}, which makes the same numbers.",
)
invoice_currency_differs = RefusalCode(
    "invoice_currency_differs",
    Category.INVALID,
    "The invoice is in {invoice_currency}, not in {currency}.",
)
