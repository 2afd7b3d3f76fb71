"""What does a code mean that a request was answered with? The `type` of each problem leads here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import walk_packages
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

import billwright
from billwright.kernel.refusal import RefusalCode
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.errors import problem_type_unknown
from billwright.surfaces.web.problems import PROTOCOL_CODES, STATUS_OF, TYPE_PREFIX, title_of
from billwright.surfaces.web.wire import ResponseModel

router = APIRouter(prefix="/problems", tags=["problems"])


class ProblemType(ResponseModel):
    """What a code stands for, wherever it is answered."""

    type: Annotated[str, Field(description="The address of this page.")]
    code: Annotated[str, Field(description="For programs; it never changes.")]
    title: Annotated[str, Field(description="The code in words.")]
    status: Annotated[int, Field(description="The status of such an answer.")]
    meaning: Annotated[
        str, Field(description="For people; the names of the facts stand in braces.")
    ]


@router.get(
    "/{code}",
    summary="Explain a problem",
    openapi_extra={"security": []},
    responses=refusals.of_anybody(problem_type_unknown),
)
async def get_problem_type(code: str) -> ProblemType:
    """Needs no key."""
    status, meaning = _meanings().get(code) or _refuse(code)
    return ProblemType(
        type=TYPE_PREFIX + code, code=code, title=title_of(code), status=status, meaning=meaning
    )


def _refuse(code: str) -> tuple[int, str]:
    raise problem_type_unknown(code=code)


@cache
def _meanings() -> Mapping[str, tuple[int, str]]:
    """The status and the meaning of every code that the product declares."""
    declared = {
        value.code: (STATUS_OF[value.category], value.template)
        for found in walk_packages(billwright.__path__, f"{billwright.__name__}.")
        if found.name.endswith(".errors") or found.name.startswith("billwright.kernel.")
        for value in vars(import_module(found.name)).values()
        if isinstance(value, RefusalCode)
    }
    return {**PROTOCOL_CODES, **declared}
