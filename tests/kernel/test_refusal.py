"""Does a refusal carry what a surface needs to answer?"""

import pytest

from billwright.kernel.refusal import Category, FieldProblem, Refusal, RefusalCode

too_long = RefusalCode("name_too_long", Category.INVALID, "{name} is longer than {limit}.")


def test_calling_a_code_makes_the_refusal():
    refusal = too_long(name="Mallorca", limit=3)
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.category) == ("name_too_long", Category.INVALID)
    assert refusal.detail == str(refusal) == "Mallorca is longer than 3."
    assert refusal.facts == {"name": "Mallorca", "limit": 3}
    assert refusal.problems == ()


def test_a_pointer_names_the_field():
    refusal = too_long(pointer="/plan/name", name="Mallorca", limit=3)
    assert refusal.problems == (
        FieldProblem("/plan/name", "name_too_long", "Mallorca is longer than 3."),
    )
    assert "pointer" not in refusal.facts


def test_a_refusal_may_list_several_fields():
    problems = [FieldProblem("/a", "missing", "a is missing"), FieldProblem("/b", "missing", "b")]
    refusal = Refusal("request_invalid", Category.INVALID, "two fields", problems=problems)
    assert refusal.problems == tuple(problems)


def test_forgetting_a_fact_is_a_bug():
    with pytest.raises(KeyError):
        too_long(name="Mallorca")


def test_a_fact_with_braces_is_text():
    assert too_long(name="{limit}", limit=3).detail == "{limit} is longer than 3."
