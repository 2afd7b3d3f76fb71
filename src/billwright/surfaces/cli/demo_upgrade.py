"""What does it cost to change in the middle of a month, and what comes back?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from billwright.surfaces.cli.api_client import ApiClient, JsonObject
from billwright.surfaces.cli.demo_telling import StoryBroken, Telling, day_text, money_text


class Upgrade:
    """A second customer takes a larger plan, which is previewed first, and leaves with a credit."""

    def __init__(self, client: ApiClient, telling: Telling, *, plan_code: str) -> None:
        self._client = client
        self._telling = telling
        self._plan_code = plan_code
        self._path = ""

    def tell(
        self,
        *,
        account: JsonObject,
        larger_plan: JsonObject,
        advance: Callable[[datetime], None],
        until: datetime,
    ) -> None:
        """Subscribe now, upgrade when `advance` has brought the clock to `until`, then leave."""
        self._subscribe(account)
        self._client.post("/plans", larger_plan)
        advance(until)
        self._upgrade({"plan_code": larger_plan["code"]})
        self._leave()

    def _subscribe(self, account: JsonObject) -> None:
        made = self._client.post("/accounts", account)
        subscription = self._client.post(
            "/subscriptions", {"account_id": made["id"], "plan_code": self._plan_code}
        )
        self._path = f"/subscriptions/{subscription['id']}"
        self._telling.step(f"{made['name']} subscribes as well: {subscription['number']}")

    def _upgrade(self, change: JsonObject) -> None:
        """What was previewed is what is done, to the cent."""
        preview = self._client.post(f"{self._path}/change-plan/preview", change)
        (shown,) = preview["documents"]
        at = preview["proration_at"]
        self._telling.step(f"preview: what a larger plan would cost from {day_text(at)} on")
        self._telling.show_document(shown)
        upgraded = self._client.post(f"{self._path}/change-plan", {**change, "effective_at": at})
        (made,) = upgraded["documents"]
        if made["total"] != shown["total"] or upgraded["plan"] != preview["subscription"]["plan"]:
            raise StoryBroken(f"the upgrade is not what was previewed: {made['total']}")
        self._telling.step(
            f"upgraded to {upgraded['plan']['name']}: invoice {made['number']} over "
            f"{money_text(made['total'])}, as previewed"
        )

    def _leave(self) -> None:
        """All that was charged for the rest of the month comes back, by one credit note."""
        left = self._client.post(
            f"{self._path}/cancel", {"mode": "now", "proration": "credit", "feedback": "unused"}
        )
        (made,) = left["documents"]
        note = self._client.get(f"/invoices/{made['id']}")
        if (left["state"], note["kind"]) != ("canceled", "credit_note"):
            raise StoryBroken(f"the subscription is {left['state']} with a {note['kind']}")
        self._telling.step(f"canceled at once: credit note {note['number']} for the unused rest")
        self._telling.show_document(note)
