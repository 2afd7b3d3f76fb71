"""How is a promotion's code written?"""

from __future__ import annotations

import re

from billwright.features.promotions.errors import promotion_code_invalid

_CODE = re.compile(r"[A-Z0-9][A-Z0-9_.:-]{0,99}", re.ASCII)


def written_code(text: str) -> str:
    """A code as it is kept: people type it with spaces around it and in small letters."""
    return text.strip().upper()


def checked_code(text: str) -> str:
    """A new promotion's code as it is kept. Refuses: `promotion_code_invalid`."""
    code = written_code(text)
    if _CODE.fullmatch(code) is None:
        raise promotion_code_invalid(pointer="/code")
    return code
