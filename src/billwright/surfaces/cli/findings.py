"""What did an examination find, and what is to be done about it?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """A warning can be lived with; a problem keeps Billwright from working."""

    FINE = "fine"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """`remedy` says what the operator does about it; it is empty where all is fine."""

    subject: str
    verdict: Verdict
    text: str
    remedy: str = ""


def fine(subject: str, *, text: str) -> Finding:
    return Finding(subject, Verdict.FINE, text)


def warning(subject: str, *, text: str, remedy: str) -> Finding:
    return Finding(subject, Verdict.WARNING, text, remedy)


def problem(subject: str, *, text: str, remedy: str) -> Finding:
    return Finding(subject, Verdict.PROBLEM, text, remedy)
