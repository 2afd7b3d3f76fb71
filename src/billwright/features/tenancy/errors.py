"""What may tenancy refuse?"""

from billwright.kernel.refusal import Category, RefusalCode

tenant_unknown = RefusalCode(
    "tenant_unknown", Category.NOT_FOUND, "There is no tenant with the code {tenant_code}."
)
tenant_code_taken = RefusalCode(
    "tenant_code_taken", Category.CONFLICT, "A tenant with the code {tenant_code} exists already."
)
tenant_invalid = RefusalCode(
    "tenant_invalid", Category.INVALID, "A tenant cannot be created like this."
)
seller_invalid = RefusalCode("seller_invalid", Category.INVALID, "The seller cannot be like this.")
tenant_code_malformed = RefusalCode(
    "tenant_code_malformed",
    Category.INVALID,
    "{tenant_code!r} is no tenant code: letters, digits, - and _, up to 64 characters.",
)
tenant_field_missing = RefusalCode(
    "tenant_field_missing", Category.INVALID, "Must be given and not be blank."
)
country_unknown = RefusalCode(
    "country_unknown", Category.INVALID, "{country!r} is not an ISO 3166-1 alpha-2 country code."
)
locale_malformed = RefusalCode(
    "locale_malformed", Category.INVALID, "{locale!r} is not a language tag such as de or en-GB."
)
iban_malformed = RefusalCode(
    "iban_malformed",
    Category.INVALID,
    "Not an IBAN: written without spaces, its check digits must be right.",
)
payment_terms_out_of_range = RefusalCode(
    "payment_terms_out_of_range",
    Category.INVALID,
    "{payment_terms_days} is not a number of days from 0 to 365.",
)
fiscal_year_start_out_of_range = RefusalCode(
    "fiscal_year_start_out_of_range", Category.INVALID, "{month} is not a month from 1 to 12."
)
tax_rate_out_of_range = RefusalCode(
    "tax_rate_out_of_range",
    Category.INVALID,
    "{tax_rate} is not a share from 0 to below 1; 19 % is 0.19.",
)
rounding_uneven = RefusalCode(
    "rounding_uneven",
    Category.INVALID,
    "{rounding} rounds a credit to another size than the charge that it takes back.",
)
minimum_invoice_not_positive = RefusalCode(
    "minimum_invoice_not_positive",
    Category.INVALID,
    "Must be above zero; without a minimum, leave the currency out.",
)
