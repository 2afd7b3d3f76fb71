"""Which refusals belong to the platform API itself?"""

from __future__ import annotations

from billwright.kernel.refusal import Category, RefusalCode

tenant_mismatch = RefusalCode(
    "tenant_mismatch",
    Category.FORBIDDEN,
    "The API key does not belong to the tenant that X-Tenant names.",
)
problem_type_unknown = RefusalCode(
    "problem_type_unknown", Category.NOT_FOUND, "No problem has the code {code}."
)
