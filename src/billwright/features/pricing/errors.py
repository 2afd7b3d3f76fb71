"""What may pricing refuse?"""

from billwright.kernel.refusal import Category, RefusalCode

pricing_invalid = RefusalCode("pricing_invalid", Category.INVALID, "{reason}")
