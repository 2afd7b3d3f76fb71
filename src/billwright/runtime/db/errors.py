"""What may the database refuse?"""

import asyncpg

from billwright.kernel.refusal import Category, RefusalCode

busy = RefusalCode(
    "busy",
    Category.UNAVAILABLE,
    "Another request is changing the same thing; repeat this one in a moment.",
)

idempotency_key_reused = RefusalCode(
    "idempotency_key_reused",
    Category.CONFLICT,
    "This Idempotency-Key was already used for a different request.",
)
idempotency_key_in_use = RefusalCode(
    "idempotency_key_in_use",
    Category.CONFLICT,
    "A request with this Idempotency-Key is still being carried out; repeat it in a moment.",
)

# A constraint was violated: for code that must go on after one bad row among many.
IntegrityViolation = asyncpg.IntegrityConstraintViolationError

# A value does not fit its column, such as an amount beyond 64 bits: likewise.
ValueUnfit = asyncpg.DataError
