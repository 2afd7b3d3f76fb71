"""How does the demo say what it sees, and that something is wrong?"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from rich.console import Console
from rich.table import Table

from billwright.surfaces.cli.api_client import JsonObject
from billwright.surfaces.cli.demo_checks import wrong_sums


class StoryBroken(Exception):  # noqa: N818 - it names what happened
    """Something is not as it must be; the text says what."""


class Telling:
    """The demo's words on a console."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def step(self, text: str) -> None:
        """Say that something has happened as it should."""
        self.console.print("[green]ok[/green]", end="  ")
        self.console.print(text, markup=False)

    def show_document(self, document: JsonObject) -> None:
        """The lines and sums of an invoice, of a credit note, or of one that would be made."""
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for heading in ("  ", "quantity", "unit price", "amount"):
            table.add_column(heading, justify="left" if heading == "  " else "right")
        for line in document["lines"]:
            amount = line["amount"]["amount"]
            table.add_row(f"  {line['description']}", line["quantity"], line["unit_price"], amount)
        for tax in document["taxes"]:
            percent = (100 * Decimal(tax["rate"])).normalize()
            table.add_row(f"  tax {percent:f} %", "", "", tax["tax"]["amount"])
        table.add_row("  total", "", "", money_text(document["total"]))
        self.console.print(table)
        self.require(wrong_sums(document))

    def require(self, problems: Iterable[str]) -> None:
        """Raises `StoryBroken` if there are any."""
        if found := list(problems):
            raise StoryBroken("; ".join(found))


def money_text(money: JsonObject) -> str:
    return f"{money['amount']} {money['currency']}"


def day_text(instant: str) -> str:
    return instant[:10]
