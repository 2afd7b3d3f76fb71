"""How does the product say no?

A refusal is a foreseen answer: a closed, documented set of codes that every surface translates into
its own wire format. A bug is an ordinary exception and is never a refusal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Category(StrEnum):
    """What kind of no it is; surfaces map the kind, never the single code, to a status."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    STALE = "stale"
    PAYMENT_REQUIRED = "payment_required"
    LIMITED = "limited"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One thing wrong with one field; `pointer` is an RFC 6901 JSON pointer into the request."""

    pointer: str
    code: str
    detail: str


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not an error of the program
    """A foreseen no, with the facts that explain it.

    `detail` is a sentence for people and may change; `code` and `facts` are for programs and may not.
    """

    def __init__(
        self,
        code: str,
        category: Category,
        detail: str,
        *,
        problems: Sequence[FieldProblem] = (),
        facts: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.category = category
        self.detail = detail
        self.problems = tuple(problems)
        self.facts = dict(facts or {})


@dataclass(frozen=True, slots=True)
class RefusalCode:
    """A declared refusal: calling it with its facts makes the `Refusal` to raise.

    `template` is filled from the facts. For an invalid value give `pointer`, the JSON pointer of the
    field that is wrong, so that the answer names it.
    """

    code: str
    category: Category
    template: str

    def __call__(self, *, pointer: str | None = None, **facts: object) -> Refusal:
        detail = self.template.format(**facts)
        problems = (FieldProblem(pointer, self.code, detail),) if pointer is not None else ()
        return Refusal(self.code, self.category, detail, problems=problems, facts=facts)
