"""What happens in a year of one subscription?"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep

from rich.console import Console
from rich.table import Table

from billwright.kernel.ids import new_id
from billwright.surfaces.cli.api_client import ApiClient, JsonObject
from billwright.surfaces.cli.demo_checks import (
    changed_invoices,
    wrong_numbers,
    wrong_periods,
    wrong_sums,
)
from billwright.surfaces.cli.demo_telling import StoryBroken, Telling, day_text, money_text
from billwright.surfaces.cli.demo_upgrade import Upgrade

# The 31st, so that February and the short months show what becomes of it.
_START = datetime(2026, 1, 31, 9, tzinfo=UTC)
_MIDDLE_OF_A_MONTH = datetime(2026, 2, 10, 9, tzinfo=UTC)
_MONTHS = 12
_PATIENCE_SECONDS = 120
_POLL_SECONDS = 0.05
_FEATURES = [
    {"code": "demo_api_calls", "name": "API calls", "kind": "metered", "value": "100000"},
    {"code": "demo_region", "name": "Region", "kind": "static", "value": "eu"},
    {"code": "demo_sso", "name": "Single sign-on", "kind": "boolean", "value": True},
]


class Story:
    """A year of billing on a test clock; it can be told any number of times on one server."""

    def __init__(self, client: ApiClient, *, console: Console, folder: Path) -> None:
        self._client = client
        self._console = console
        self._telling = Telling(console)
        self._folder = folder
        self._run = secrets.token_hex(4)
        self._clock_id = ""
        self._account_id = ""

    def tell(self) -> None:
        """Raises `StoryBroken` at the first thing that is wrong."""
        subscription = self._subscribe()
        first = self._client.get(f"/invoices/{subscription['documents'][0]['id']}")
        self._show_invoice(first)
        self._save_pdf(first)
        self._pay(first)
        self._show_entitlements(subscription)
        self._change_in_the_middle_of_a_month()
        self._live_through_a_year()
        invoices = self._check_the_year()
        self._check_that_repeating_changes_nothing(invoices)
        self._console.print(
            f"\nAll is right. The invoice's PDF is in {self._folder}.", style="green"
        )

    def _subscribe(self) -> JsonObject:
        client, run = self._client, self._run
        clock = client.post("/test-clocks", {"name": f"Demo {run}", "now": _START.isoformat()})
        self._clock_id = clock["id"]
        self._telling.step(f"a test clock stands at {day_text(clock['now'])}")
        plan = client.post("/plans", _plan(f"demo-{run}"))
        self._telling.step(f"plan {plan['code']}: 29.00 EUR a month and 9.90 EUR a seat")
        account = client.post("/accounts", _account(f"demo-{run}", clock_id=self._clock_id))
        self._account_id = account["id"]
        self._telling.step(f"account {account['name']}, living by the test clock")
        subscription = self._order_subscription()
        period = subscription["period"]
        self._telling.step(
            f"subscription {subscription['number']}: {subscription['state']}, first period "
            f"{day_text(period['start'])} to {day_text(period['end'])}"
        )
        return subscription

    def _order_subscription(self) -> JsonObject:
        """Always the same request, with one idempotency key."""
        body = {
            "account_id": self._account_id,
            "plan_code": f"demo-{self._run}",
            "quantities": {"seats": "3"},
        }
        return self._client.post("/subscriptions", body, idempotency_key=f"demo-{self._run}")

    def _show_invoice(self, invoice: JsonObject) -> None:
        self._telling.step(f"invoice {invoice['number']}, due on {invoice['due_on']}")
        self._telling.show_document(invoice)

    def _save_pdf(self, invoice: JsonObject) -> None:
        content = self._client.download(f"/invoices/{invoice['id']}/pdf")
        if not content.startswith(b"%PDF-"):
            raise StoryBroken("the invoice's document is no PDF")
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{invoice['number']}.pdf"
        path.write_bytes(content)
        self._telling.step(f"its PDF is in {path} ({len(content) // 1024} KiB)")

    def _pay(self, invoice: JsonObject) -> None:
        """Twice with one idempotency key, as a client does that has lost the first answer."""
        body = {"invoice_id": invoice["id"], "amount": invoice["due"], "provider": "manual"}
        key = str(new_id())
        payment = self._client.post("/payments", body, idempotency_key=key)
        repeated = self._client.post("/payments", body, idempotency_key=key)
        if payment["state"] != "succeeded" or repeated["id"] != payment["id"]:
            raise StoryBroken(f"payment {payment['id']} is {payment['state']}, or was made twice")
        paid = self._client.get(f"/invoices/{invoice['id']}")
        if paid["state"] != "paid":
            raise StoryBroken(f"the invoice is {paid['state']} after its payment")
        self._telling.step(
            f"paid {money_text(payment['amount'])}; the request was sent twice and counted once"
        )

    def _show_entitlements(self, subscription: JsonObject) -> None:
        answer = self._client.get(f"/subscriptions/{subscription['id']}/entitlements")
        allowed = [each for each in answer["features"] if each["allowed"]]
        if len(allowed) != len(_FEATURES):
            raise StoryBroken("the subscription does not give what its plan promises")
        described = ", ".join(
            f"{each['feature']} {each['limit'] or each['value'] or ''}".strip() for each in allowed
        )
        self._telling.step(f"it may use: {described}")

    def _change_in_the_middle_of_a_month(self) -> None:
        code = f"demo-{self._run}"
        account = _account(f"{code}-second", clock_id=self._clock_id)
        Upgrade(self._client, self._telling, plan_code=code).tell(
            account={**account, "name": "Hilltop Bikes", "email": "billing@hilltop.example"},
            larger_plan=_plan(f"{code}-business", name="Business", base="79.00", seat="14.00"),
            advance=self._advance,
            until=_MIDDLE_OF_A_MONTH,
        )

    def _live_through_a_year(self) -> None:
        with self._console.status("a year goes by"):
            for month in range(1, _MONTHS + 1):
                # To the first of a month, when what falls due at the end of the last one is over.
                year, index = divmod(_START.month + month, 12)
                self._advance(datetime(_START.year + year, index + 1, 1, tzinfo=UTC))
                self._pay_what_is_open()
        self._telling.step("the clock went through a year, month by month, and each was paid")

    def _pay_what_is_open(self) -> None:
        """Without it the subscription would be past due, and in the end canceled."""
        for invoice in self._client.all("/invoices", account_id=self._account_id, state="open"):
            body = {"invoice_id": invoice["id"], "amount": invoice["due"], "provider": "manual"}
            self._client.post("/payments", body, idempotency_key=f"demo-{invoice['id']}")

    def _advance(self, target: datetime) -> None:
        path = f"/test-clocks/{self._clock_id}"
        clock = self._client.post(f"{path}/advance", {"to": target.isoformat()})
        deadline = monotonic() + _PATIENCE_SECONDS
        while clock["state"] == "advancing":
            if monotonic() > deadline:
                raise StoryBroken("the test clock does not arrive; does a worker run?")
            sleep(_POLL_SECONDS)
            clock = self._client.get(path)
        if clock["state"] != "ready":
            raise StoryBroken(f"the test clock stopped: {clock['failure']}")

    def _invoices(self) -> list[JsonObject]:
        """This story's invoices with their lines, oldest first."""
        found = self._client.all("/invoices", account_id=self._account_id)
        invoices = [self._client.get(f"/invoices/{each['id']}") for each in found]
        return sorted(invoices, key=lambda invoice: str(invoice["period_start"]))

    def _check_the_year(self) -> list[JsonObject]:
        """The year's invoices with their lines, which are right."""
        invoices = self._invoices()
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for heading in ("  number", "from", "to", "total", "state"):
            table.add_column(heading, justify="right" if heading == "total" else "left")
        for invoice in invoices:
            table.add_row(
                f"  {invoice['number']}",
                day_text(invoice["period_start"]),
                day_text(invoice["period_end"]),
                money_text(invoice["total"]),
                invoice["state"],
            )
        self._console.print(table)
        self._telling.require(wrong_periods(invoices, expected=_MONTHS + 1))
        self._telling.step(
            f"{_MONTHS} renewals; every period begins at the instant the one before ends"
        )
        for invoice in invoices:
            self._telling.require(wrong_sums(invoice))
        self._telling.step("every line, tax and total adds up to the cent")
        numbers = [each["number"] for each in self._client.all("/invoices") if each["number"]]
        self._telling.require(wrong_numbers(numbers))
        self._telling.step(
            f"the numbers of all {len(numbers)} documents of this seller have no gap"
        )
        return invoices

    def _check_that_repeating_changes_nothing(self, before: Sequence[JsonObject]) -> None:
        """An hour later every billing job runs once more, when the clock arrives, though nothing is
        due; and the first request arrives again, a year late.
        """
        clock = self._client.get(f"/test-clocks/{self._clock_id}")
        self._advance(datetime.fromisoformat(clock["now"]) + timedelta(hours=1))
        self._order_subscription()
        self._telling.require(changed_invoices(before=before, after=self._invoices()))
        charges = sum(len(invoice["lines"]) for invoice in before)
        self._telling.step(
            f"every billing job ran once more and the first request came again: {len(before)} "
            f"invoices, the {charges} charges on them and their numbers are what they were"
        )


def _plan(code: str, *, name: str = "Team", base: str = "29.00", seat: str = "9.90") -> JsonObject:
    return {
        "code": code,
        "name": name,
        "interval": {"unit": "month"},
        "components": [
            {
                "code": "base",
                "name": "Base fee",
                "prices": [{"model": "flat", "currency": "EUR", "price": base}],
            },
            {
                "code": "seats",
                "name": "Seats",
                "unit_name": "seat",
                "prices": [{"model": "per_unit", "currency": "EUR", "price": seat}],
            },
        ],
        "features": _FEATURES,
    }


def _account(external_id: str, *, clock_id: str) -> JsonObject:
    return {
        "name": "Riverbank Books",
        "email": "billing@riverbank.example",
        "external_id": external_id,
        "currency": "EUR",
        "address": {
            "line1": "Hauptstraße 2",
            "postal_code": "10115",
            "city": "Berlin",
            "country": "DE",
        },
        "test_clock_id": clock_id,
    }
