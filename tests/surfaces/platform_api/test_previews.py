"""Does a preview say to the cent what a command would cost, and keep nothing of it?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx2
import pytest

from billwright.runtime.clock import FixedClock
from tests.conftest import Tenant
from tests.surfaces.platform_api.commanding import (
    TEN_DAYS_LATER,
    begun,
    everything_of,
    sold,
)
from tests.surfaces.platform_api.requests import ACCOUNT, created, got, standing

UPGRADE = {"plan_code": "business"}


async def asked(client: httpx2.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """What a preview answers."""
    response = await client.post(path, json=body)
    assert response.status_code == 200, response.text
    return response.json()


def amounts(lines: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(line["kind"], line["quantity"], line["amount"]["amount"]) for line in lines]


# 21 of the period's 31 days are left, so that 21/31 of each price is taken back or charged:
# 29.00 * 21/31 = 19.645 -> 19.65 and 3 * 9.90 * 21/31 = 20.119 -> 20.12 back,
# 59.00 * 21/31 = 39.967 -> 39.97 and 3 * 12.00 * 21/31 = 24.387 -> 24.39 anew: 24.59 in all.
LINES_OF_THE_UPGRADE = {
    ("proration_credit", "1", "-19.65"),
    ("proration_credit", "3", "-20.12"),
    ("recurring", "1", "39.97"),
    ("recurring", "3", "24.39"),
}


async def test_an_upgrade_charges_the_difference_for_the_rest_of_the_period(
    client: httpx2.AsyncClient, clock: FixedClock
):
    await sold(client)
    subscription = await begun(client)
    clock.move_to(TEN_DAYS_LATER)
    path = f"/subscriptions/{subscription['id']}/change-plan/preview"
    shown = await asked(client, path, UPGRADE)
    assert shown["proration_at"] == "2026-01-25T12:00:00Z"
    assert shown["subscription"]["plan"] == {"code": "business", "name": "Business", "version": 1}
    assert shown["subscription"]["version"] == 2
    (document,) = shown["documents"]
    assert set(amounts(document["lines"])) == LINES_OF_THE_UPGRADE
    assert {(line["period_start"], line["period_end"]) for line in document["lines"]} == {
        ("2026-01-25T12:00:00Z", "2026-02-15T12:00:00Z")
    }
    # 19 % of 24.59 is 4.6721.
    totals = [document[name]["amount"] for name in ("subtotal", "tax", "total", "due")]
    assert totals == ["24.59", "4.67", "29.26", "29.26"]
    assert (shown["pending_lines"], shown["pending"], shown["held"]) == ([], 0, 0)
    assert await got(client, f"/subscriptions/{subscription['id']}") == standing(subscription)


async def test_what_would_wait_for_the_next_invoice_is_shown_without_tax(
    client: httpx2.AsyncClient, clock: FixedClock
):
    """Only what this command would add: what has been waiting already is not shown again."""
    await sold(client)
    subscription = await begun(client)
    clock.move_to(TEN_DAYS_LATER)
    path = f"/subscriptions/{subscription['id']}"
    # 2 * 9.90 * 21/31 = 13.412 -> 13.41 more for 5 seats, instead of 3: 20.12 back, 33.53 anew.
    more_seats = {"quantities": {"seats": "5"}, "proration": "next_invoice"}
    assert (await client.post(f"{path}/change-quantity", json=more_seats)).json()["pending"] == 2
    shown = await asked(client, f"{path}/add-ons/preview", {**more_support()})
    assert shown["documents"] == []
    (line,) = shown["pending_lines"]
    # 31.00 * 21/31 is 21.00.
    assert amounts([line]) == [("recurring", "1", "21.00")]
    assert "tax" not in line
    assert (shown["pending"], shown["held"]) == (1, 0)


def more_support() -> dict[str, str]:
    return {"component": "support", "proration": "next_invoice"}


async def test_a_cancellation_with_credit_shows_where_the_money_would_go(
    client: httpx2.AsyncClient, clock: FixedClock
):
    await sold(client)
    subscription = await begun(client)
    clock.move_to(TEN_DAYS_LATER)
    body = {"mode": "now", "proration": "credit"}
    shown = await asked(client, f"/subscriptions/{subscription['id']}/cancel/preview", body)
    (note,) = shown["documents"]
    # 19.65 and 20.12 back with 19 % of 39.77, which is 7.5563.
    assert (note["kind"], note["subtotal"]["amount"]) == ("credit_note", "-39.77")
    assert (note["tax"]["amount"], note["total"]["amount"]) == ("-7.56", "-47.33")
    assert shown["subscription"]["state"] == "canceled"
    assert shown["subscription"]["cancellation"]["reason"] == "requested"


async def test_a_subscription_can_be_tried_out_before_there_is_one(
    client: httpx2.AsyncClient, tenant: Tenant
):
    """A price of its own, a promotion, and the numbers that nothing was taken from."""
    await sold(client)
    account = await created(client, "/accounts", ACCOUNT)
    body = {
        "account_id": account["id"],
        "plan_code": "team",
        "quantities": {"seats": "3"},
        "currency": "EUR",
        "prices": {"base": {"model": "flat", "currency": "EUR", "price": "19.00"}},
        "promotion_codes": [" tenth "],
    }
    before = await everything_of(tenant)
    shown = await asked(client, "/subscriptions/preview", body)
    assert await everything_of(tenant) == before
    (document,) = shown["documents"]
    # 10 % off 19.00 and 29.70; the tax is 19 % of 43.83, which is 8.3277.
    assert amounts(document["lines"]) == [("recurring", "1", "17.10"), ("recurring", "3", "26.73")]
    assert [line["discount"]["amount"] for line in document["lines"]] == ["1.90", "2.97"]
    assert document["total"]["amount"] == "52.16"
    assert shown["subscription"]["items"][0]["price"] == body["prices"]["base"]

    body["starts_at"] = shown["proration_at"]
    made = await created(client, "/subscriptions", body)
    assert made["documents"][0]["total"] == document["total"]
    assert made["number"] == "SUB-000001"
    assert made["documents"][0]["number"].endswith("00001")


async def test_what_a_command_refuses_its_preview_refuses(
    client: httpx2.AsyncClient, tenant: Tenant
):
    await sold(client)
    path = f"/subscriptions/{(await begun(client))['id']}"
    before = await everything_of(tenant)
    for command, body, status, code in (
        ("change-plan", {"plan_code": "nothing"}, 422, "plan_unknown_here"),
        ("add-ons", {"component": "seats"}, 422, "component_not_optional"),
        ("add-ons/support/remove", {}, 409, "add_on_absent"),
        ("resume", None, 409, "state_forbids"),
        ("renew", None, 409, "nothing_due"),
        ("undo-change", None, 409, "nothing_pending"),
    ):
        for place in (f"{path}/{command}", f"{path}/{command}/preview"):
            response = await client.post(place, json=body)
            assert response.status_code == status, response.text
            answer = response.json()
            assert code in {answer["code"], *(each["code"] for each in answer.get("errors", []))}
    assert await everything_of(tenant) == before


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("cancel", {"mode": "now", "proration": "credit"}),
        ("pause", {"proration": "credit"}),
        ("change-quantity", {"quantities": {"seats": "5"}}),
    ],
)
async def test_what_comes_later_comes_to_what_was_shown(
    client: httpx2.AsyncClient, clock: FixedClock, path: str, body: dict[str, object]
):
    """An hour later the unused rest is worth less, unless the command says when it was looked at."""
    await sold(client)
    subscription = await begun(client)
    clock.move_to(TEN_DAYS_LATER)
    shown = await asked(client, f"/subscriptions/{subscription['id']}/{path}/preview", body)
    clock.move_to(TEN_DAYS_LATER + timedelta(hours=5))
    later = await asked(client, f"/subscriptions/{subscription['id']}/{path}/preview", body)
    assert later["documents"][0]["total"] != shown["documents"][0]["total"]
    agreed = {**body, "effective_at": shown["proration_at"]}
    made = await client.post(f"/subscriptions/{subscription['id']}/{path}", json=agreed)
    assert made.status_code == 200
    (document,) = made.json()["documents"]
    assert document["total"] == shown["documents"][0]["total"]
    early = {**body, "effective_at": "2026-01-14T00:00:00Z"}
    refused = await client.post(f"/subscriptions/{subscription['id']}/{path}/preview", json=early)
    assert refused.status_code in {409, 422}
