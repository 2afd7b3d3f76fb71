"""What may tenancy refuse?"""

from billwright.kernel.refusal import Category, RefusalCode

tenant_code_taken = RefusalCode(
    "tenant_code_taken", Category.CONFLICT, "A tenant with the code {tenant_code} exists already."
)
