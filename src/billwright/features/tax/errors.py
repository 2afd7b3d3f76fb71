"""What may tax refuse?"""

from billwright.kernel.refusal import Category, RefusalCode

tax_category_unknown = RefusalCode(
    "tax_category_unknown",
    Category.INVALID,
    "The seller has no tax rate for the category {category}.",
)
