"""Are refusals and events unique, and do the documents list exactly them?"""

from collections import Counter
from dataclasses import dataclass, is_dataclass
from string import Formatter
from typing import ClassVar

from billwright.kernel.event import Event
from billwright.kernel.refusal import Category, RefusalCode
from tools.catalogue import (
    DeclaredRefusal,
    declared_events,
    declared_refusals,
    errors_page,
    events_page,
    pages,
)


def test_every_refusal_code_is_declared_once():
    codes = Counter(declared.refusal.code for declared in declared_refusals())
    assert codes
    assert [code for code, times in codes.items() if times > 1] == []


def test_every_refusal_speaks_in_named_facts():
    for declared in declared_refusals():
        names = [name for _, name, _, _ in Formatter().parse(declared.refusal.template) if name]
        assert all(name.split(".")[0].isidentifier() for name in names), declared


def test_every_event_has_its_own_type_and_version():
    keys = Counter((event.type, event.version) for event in declared_events())
    assert [key for key, times in keys.items() if times > 1] == []


def test_every_event_is_a_fact_about_a_subject():
    for event in declared_events():
        subject, _, fact = event.type.partition(".")
        assert subject, event
        assert fact, event
        assert event.subject_type, event
        assert is_dataclass(event), event


def test_documents_are_current():
    stale = [
        path.name
        for path, text in pages().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    assert stale == [], "run `python -m tools.catalogue`"


def test_errors_page_reads_well():
    late = RefusalCode("too_late", Category.CONFLICT, "It is after {deadline}.")
    page = errors_page([DeclaredRefusal("subscriptions", late)])
    assert "## subscriptions\n" in page
    assert "| `too_late` | conflict | It is after {deadline}. |" in page


def test_events_page_reads_well():
    @dataclass(frozen=True, slots=True, kw_only=True)
    class CartEmptied(Event):
        """Everything was taken out."""

        type: ClassVar[str] = "cart.emptied"
        subject_type: ClassVar[str] = "cart"
        items: int

    page = events_page([CartEmptied])
    assert "## cart.emptied (version 1)\n\nEverything was taken out.\n\nSubject: cart\n" in page
    assert "| `items` | `int` |" in page
