"""Can a seller see what waits for a person, close it, and see when books were compared?"""

from __future__ import annotations

from datetime import timedelta

import httpx2

from billwright.features.payments.model import NewReviewTask, ReviewKind
from billwright.features.payments.operations.open_review_task import open_review_task
from billwright.features.payments.rules.reconciliation import Reconciliation, Window
from billwright.features.payments.sql.writes_reconciliation import insert_reconciliation
from billwright.kernel.ids import new_id
from tests.conftest import NOON, Tenant
from tests.features.billing import an_account
from tests.surfaces.platform_api.requests import got


async def two_tasks(tenant: Tenant) -> str:
    """One about an account's payment and one about nothing that is known; the account's id."""
    async with tenant.tx() as tx:
        account = await an_account(tx)
        await open_review_task(
            tx,
            NewReviewTask(
                kind=ReviewKind.LATE_PAYMENT,
                subject_type="payment",
                subject_id=new_id(),
                account_id=account.id,
                details={"amount_minor": 4629},
                dedup_key="1",
            ),
        )
        await open_review_task(
            tx,
            NewReviewTask(
                kind=ReviewKind.CALLBACK_UNMATCHED,
                subject_type="provider_callback",
                subject_id=None,
                account_id=None,
                details={},
                dedup_key="2",
            ),
        )
    return str(account.id)


async def test_tasks_are_listed_page_by_page_and_filtered(
    client: httpx2.AsyncClient, tenant: Tenant
):
    account_id = await two_tasks(tenant)
    page = await got(client, "/review-tasks", limit=1)
    [unmatched] = page["data"]
    assert (unmatched["kind"], unmatched["subject"]) == (
        "callback_unmatched",
        {"type": "provider_callback", "id": None},
    )
    rest = await got(client, "/review-tasks", limit=1, cursor=page["next_cursor"])
    [late] = rest["data"]
    assert (late["details"], late["state"]) == ({"amount_minor": 4629}, "open")
    assert await got(client, f"/review-tasks/{late['id']}") == late
    for filters, expected in (
        ({"kind": "late_payment"}, [late]),
        ({"account_id": account_id}, [late]),
        ({"state": "open"}, [unmatched, late]),
        ({"state": "resolved"}, []),
    ):
        assert (await got(client, "/review-tasks", **filters))["data"] == expected


async def test_a_task_is_resolved_once(client: httpx2.AsyncClient, tenant: Tenant):
    await two_tasks(tenant)
    [_, late] = (await got(client, "/review-tasks"))["data"]
    path = f"/review-tasks/{late['id']}/resolve"
    answers = [await client.post(path, json={"resolution": text}) for text in ("sent back", "kept")]
    assert [answer.status_code for answer in answers] == [200, 200]
    resolved = answers[0].json()
    assert (resolved["state"], resolved["resolution"]) == ("resolved", "sent back")
    assert resolved["resolved_by"] == "platform"
    assert answers[1].json() == resolved
    blank = await client.post(path, json={"resolution": " "})
    assert blank.status_code == 422


async def test_another_tenant_sees_neither_tasks_nor_runs(
    client: httpx2.AsyncClient, other_client: httpx2.AsyncClient, tenant: Tenant
):
    await two_tasks(tenant)
    [task, _] = (await got(client, "/review-tasks"))["data"]
    assert (await got(other_client, "/review-tasks"))["data"] == []
    for response in (
        await other_client.get(f"/review-tasks/{task['id']}"),
        await other_client.post(f"/review-tasks/{task['id']}/resolve", json={"resolution": "x"}),
    ):
        assert (response.status_code, response.json()["code"]) == (404, "review_task_unknown")
    await a_run(tenant)
    assert (await got(other_client, "/reconciliations"))["data"] == []


async def a_run(tenant: Tenant, provider: str = "stripe") -> None:
    async with tenant.tx() as tx:
        await insert_reconciliation(
            tx,
            Reconciliation(
                id=new_id(),
                provider=provider,
                window=Window(NOON - timedelta(days=3), NOON),
                compared=7,
                mended=1,
                differences=2,
                foreign_payments=3,
                finished_at=NOON,
            ),
        )


async def test_runs_are_listed(client: httpx2.AsyncClient, tenant: Tenant):
    await a_run(tenant)
    await a_run(tenant, "sandbox")
    page = await got(client, "/reconciliations", limit=1)
    assert [run["provider"] for run in page["data"]] == ["sandbox"]
    [run] = (await got(client, "/reconciliations", provider="stripe"))["data"]
    del run["id"]
    assert run == {
        "provider": "stripe",
        "since": "2026-01-12T12:00:00Z",
        "until": "2026-01-15T12:00:00Z",
        "compared": 7,
        "mended": 1,
        "differences": 2,
        "foreign_payments": 3,
        "finished_at": "2026-01-15T12:00:00Z",
    }
