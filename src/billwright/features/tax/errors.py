"""What may tax refuse?"""

from billwright.kernel.refusal import Category, RefusalCode

tax_category_unknown = RefusalCode(
    "tax_category_unknown",
    Category.INVALID,
    "The seller has no tax rate for the category {tax_category}.",
)
tax_rate_unknown = RefusalCode(
    "tax_rate_unknown",
    Category.INVALID,
    "No {tax_category} tax rate of {country} is known for {on}.",
)
tax_engine_unknown = RefusalCode(
    "tax_engine_unknown",
    Category.INVALID,
    "There is no tax engine {tax_engine!r}; there are {known}.",
)
