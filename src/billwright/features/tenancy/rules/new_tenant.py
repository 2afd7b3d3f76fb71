"""May a tenant be created like this?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from billwright.features.tenancy.errors import tenant_code_malformed
from billwright.features.tenancy.model import Seller
from billwright.features.tenancy.rules.seller import missing, seller_problems
from billwright.kernel.refusal import FieldProblem

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def new_tenant_problems(*, code: str, name: str, seller: Seller) -> Iterator[FieldProblem]:
    """Everything that is wrong, at pointers into `{code, name, seller}`."""
    if not _CODE.fullmatch(code):
        yield from tenant_code_malformed(pointer="/code", tenant_code=code).problems
    yield from missing(name, at="/name")
    yield from seller_problems(seller, at="/seller")
