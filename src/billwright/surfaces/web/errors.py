"""Which refusals belong to HTTP itself, before any feature is asked?"""

from __future__ import annotations

from billwright.kernel.refusal import Category, RefusalCode

request_invalid = RefusalCode(
    "request_invalid", Category.INVALID, "The request does not have the documented form."
)
text_unstorable = RefusalCode(
    "text_unstorable",
    Category.INVALID,
    "The request contains text that cannot be stored, such as the character U+0000.",
)
cursor_invalid = RefusalCode(
    "cursor_invalid",
    Category.INVALID,
    "The cursor is not one that this list has given for these filters.",
)
idempotency_key_invalid = RefusalCode(
    "idempotency_key_invalid",
    Category.INVALID,
    "An Idempotency-Key has 1 to 255 printable ASCII characters.",
)
