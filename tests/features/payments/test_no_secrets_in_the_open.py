"""Can anybody read in a row, a log line or an answer what only we, the payer or the provider may know?

A seller's whole day of payments, with secrets that are easy to recognize; then everything that was
written is searched for them.
"""

from __future__ import annotations

import base64
import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import httpx2
import pytest
import pytest_asyncio
import structlog

from billwright.features.payment_providers.model import MethodKind
from billwright.features.payment_providers.port import (
    PaymentProviders,
    ProviderAnswer,
    SavedMethod,
)
from billwright.kernel.ids import new_id
from billwright.providers.document.typst.renderer import TypstInvoiceRenderer
from billwright.providers.payment.sandbox import provider as sandbox_module
from billwright.providers.payment.sandbox.provider import SandboxProvider
from billwright.providers.payment.sandbox.signing import signed_headers
from billwright.runtime.clock import FixedClock
from billwright.runtime.queue.reacting import react
from billwright.runtime.queue.registry import Registry
from billwright.runtime.secrets import SecretBox
from billwright.runtime.telemetry.logs import configure_logs
from billwright.runtime.telemetry.metrics import Metrics
from billwright.surfaces.platform_api.app import create_platform_api
from billwright.surfaces.web.wiring import Wiring
from tests.conftest import Tenant
from tests.features.payments.leaks import Leak, Watch
from tests.surfaces.platform_api.conftest import client_of, key_of
from tests.surfaces.platform_api.requests import ACCOUNT, created, got

KEY = b"the-encryption-key-0123456789-32"
SIGNING = "whsec_Zm9yLXRlc3RzLW9ubHktc2lnbmluZw"
PAGES = "https://pay.example/c/page-secret-7f31c9"
SECRETS = {
    "encryption key": KEY.decode(),
    "encryption key as configured": base64.b64encode(KEY).decode(),
    "key at the provider": "sk_live_9TlYbQw3Zk27XcVh",
    "signing secret": SIGNING,
    "method reference": "pm_secret_1QxT8bKd",
    "payer reference": "cus_secret_Rz83hf",
    "fingerprint": "fp-secret-Xt5EWLLDS7FJjR1c",
    "client secret": "pi_3Pq_secret_bYhV2jLs",
    "page address": PAGES,
}
CARD = SavedMethod(
    reference=SECRETS["method reference"],
    kind=MethodKind.CARD,
    label="Visa •••• 4242",
    payer_reference=SECRETS["payer reference"],
    expires_on=date(2026, 2, 28),
    fingerprint=SECRETS["fingerprint"],
)
RETURNS = {"success_url": "https://app.example/thanks", "cancel_url": "https://app.example/"}
# Who asks for a page is handed its address, and nobody else is.
MEANT = {"/payment-methods/setup": "page address", "/payment-page": "page address"}


class Talkative(SandboxProvider):
    """A sandbox whose callbacks say too much, and whose mistakes do too."""

    async def find(self, provider_key: str) -> ProviderAnswer | None:
        raise RuntimeError(
            f"401: invalid key {SECRETS['key at the provider']}, signed with {SIGNING}"
        )

    def requests(self) -> list[tuple[bytes, dict[str, str]]]:
        """Its callbacks, with members that we have no use for."""
        requests = []
        for callback in self.take_callbacks():
            event = json.loads(callback.body)
            event["object"]["client_secret"] = SECRETS["client secret"]
            event["object"]["payment_method"] = SECRETS["method reference"]
            body = json.dumps(event).encode()
            headers = signed_headers(event["id"], body, secret=SIGNING, now=self._now())
            requests.append((body, headers))
        return requests


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    configure_logs("json", "debug", stream=stream)
    yield stream
    root.handlers = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@pytest.fixture
def sandbox(clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> Talkative:
    monkeypatch.setattr(sandbox_module, "card_of", lambda _entry: CARD)
    return Talkative(clock.now, callback_secrets=[SIGNING], pages_url=PAGES)


@pytest.fixture
def watch() -> Watch:
    return Watch(dict(SECRETS))


@pytest_asyncio.fixture
async def client(
    tenant: Tenant, sandbox: Talkative, watch: Watch
) -> AsyncIterator[httpx2.AsyncClient]:
    application = create_platform_api()
    application.state.wiring = Wiring(
        database=tenant.database,
        metrics=Metrics(),
        invoice_renderer=TypstInvoiceRenderer(),
        payment_providers=PaymentProviders({"sandbox": sandbox}),
        secret_box=SecretBox(KEY),
    )

    async def keep(response: httpx2.Response) -> None:
        await response.aread()
        watch.answers.append((response.request.url.path, f"{response.headers} {response.text}"))

    async with client_of(application, await key_of(tenant)) as client:
        client.event_hooks = {"response": [keep]}
        yield client


async def deliver(client: httpx2.AsyncClient, sandbox: Talkative) -> int:
    requests = sandbox.requests()
    for body, headers in requests:
        path = "/providers/sandbox/callbacks"
        answer = await client.post(path, content=body, headers=headers)
        assert answer.status_code == 200
        forged = await client.post(path, content=body + b" ", headers=headers)
        assert forged.status_code == 400
    return len(requests)


async def run_sweeps(
    tenant: Tenant, sandbox: Talkative, clock: FixedClock, registry: Registry
) -> None:
    """What the schedule starts, and what follows from what has happened."""
    work = replace(
        tenant.work(as_of=clock.now()),
        providers={
            type(key): key for key in (PaymentProviders({"sandbox": sandbox}), SecretBox(KEY))
        },
    )
    for sweep in registry.sweeps:
        if sweep.run.__module__.split(".")[2] in {"payments", "dunning"}:
            await sweep.run(work)
    for reaction in registry.reactions:
        async with tenant.tx() as tx:
            events = await tx.fetch("select id from event where type = $1", reaction.event.type)
        payload = {"reaction": reaction.name, "events": [str(row["id"]) for row in events]}
        await react(tenant.database, registry, tenant_id=tenant.id, payload=payload)


async def an_invoice(client: httpx2.AsyncClient, account_id: str, price: str) -> str:
    """One of `price` and 19 % tax."""
    code = f"plan-{price}"
    base = {"model": "flat", "currency": "EUR", "price": price}
    plan = {
        "code": code,
        "name": code,
        "interval": {"unit": "month"},
        "components": [{"code": "base", "name": "Base fee", "prices": [base]}],
    }
    await created(client, "/plans", plan)
    body = {"account_id": account_id, "plan_code": code}
    (document,) = (await created(client, "/subscriptions", body))["documents"]
    return str(document["id"])


async def a_day_of_payments(
    tenant: Tenant,
    client: httpx2.AsyncClient,
    sandbox: Talkative,
    clock: FixedClock,
    registry: Registry,
) -> None:
    """A method is left on a page and by paying, charged on the due date with four outcomes, and
    removed; callbacks come, forged ones too.
    """
    account = await created(client, "/accounts", ACCOUNT)
    setup = await created(client, f"/accounts/{account['id']}/payment-methods/setup", RETURNS)
    sandbox.complete(setup["url"].rpartition("/")[2])
    assert await deliver(client, sandbox) == 1
    told = await got(client, f"/payment-method-setups/{setup['id']}")
    assert told["state"] == "completed"

    paid = await an_invoice(client, account["id"], "10.00")
    asked = {**RETURNS, "saves_method": True}
    page = await created(client, f"/invoices/{paid}/payment-page", asked)
    sandbox.complete(page["url"].rpartition("/")[2])
    assert await deliver(client, sandbox) == 1
    assert (await got(client, f"/invoices/{paid}"))["state"] == "paid"

    # With tax: 23.80 is paid, 40.01 declined, 40.04 waits for the payer, 40.06 gets no answer.
    outcomes = {"20.00": "succeeded", "33.62": "failed", "33.65": "pending", "33.66": "pending"}
    invoices = {price: await an_invoice(client, account["id"], price) for price in outcomes}
    clock.move_to(clock.now() + timedelta(days=15))
    await run_sweeps(tenant, sandbox, clock, registry)
    for price, state in outcomes.items():
        (payment,) = (await got(client, "/payments", invoice_id=invoices[price]))["data"]
        assert payment["state"] == state, price
        await got(client, f"/payments/{payment['id']}")
    clock.move_to(clock.now() + timedelta(minutes=2))
    await run_sweeps(tenant, sandbox, clock, registry)
    await deliver(client, sandbox)

    methods = await got(client, f"/accounts/{account['id']}/payment-methods")
    await client.delete(f"/payment-methods/{methods['data'][0]['id']}")
    paths = create_platform_api().openapi()["paths"]
    lists = [path for path, routes in paths.items() if "get" in routes and "{" not in path]
    assert "/provider-callbacks" in lists
    days = {"since": "2026-01-01", "until": "2026-12-31"}
    for path in lists:
        await got(client, path, **(days if path == "/cancellations/report" else {}))


async def test_a_day_of_payments_leaves_no_secret_where_it_can_be_read(
    tenant: Tenant,
    migrated_database: str,
    client: httpx2.AsyncClient,
    sandbox: Talkative,
    clock: FixedClock,
    registry: Registry,
    watch: Watch,
    log: io.StringIO,
):
    await a_day_of_payments(tenant, client, sandbox, clock, registry)
    assert await watch.leaks_in_database(migrated_database) == set()
    assert watch.leaks_in(log.getvalue(), place="log") == set()
    assert watch.leaks_in_answers(MEANT) == set()
    # There was something to be found: the mistakes were logged, the addresses handed out.
    assert "invalid key [redacted]" in log.getvalue()
    handed_out = {leak.place.rpartition("/")[2] for leak in watch.leaks_in_answers({})}
    assert handed_out == {"setup", "payment-page"}


ROWS = {
    "text": "insert into event (tenant_id, id, type, version, subject_type, subject_id, occurred_at,"
    " data, actor_kind, actor_name, cause) values ($1, $2, $3, 1, 'x', $2, now(), '{}', 'system',"
    " 'test', 'test')",
    "json": "insert into audit_entry (tenant_id, id, action, subject_type, subject_id, occurred_at,"
    " details, actor_kind, actor_name, cause) values ($1, $2, 'x', 'x', $2, now(),"
    " jsonb_build_object('words', array[$3::text]), 'system', 'test', 'test')",
    "bytes": "insert into idempotency_key (tenant_id, key, request_digest, operation, created_at,"
    " expires_at, response_body) values ($1, $2::uuid::text, '', 'x',"
    " now(), now(), $3)",
}


@pytest.mark.parametrize("column", ROWS)
async def test_the_search_of_rows_bites(
    tenant: Tenant, migrated_database: str, watch: Watch, column: str
):
    planted: Any = " and ".join(SECRETS.values())
    async with tenant.tx() as tx:
        value = planted.encode() if column == "bytes" else planted
        await tx.execute(ROWS[column], tenant.id, new_id(), value)
    found = await watch.leaks_in_database(migrated_database)
    assert {leak.secret for leak in found} == set(SECRETS)


def test_the_search_of_texts_bites(watch: Watch):
    for name, secret in SECRETS.items():
        for text in (
            secret,
            json.dumps({"a": [secret]}),
            secret.encode().hex(),
            *(base64.b64encode(before + secret.encode() + b"z").decode() for before in (b"", b"y")),
            base64.urlsafe_b64encode(b"xy" + secret.encode()).decode(),
        ):
            assert Leak(name, "log") in watch.leaks_in(f"line {text}", place="log")
    watch.answers.append(("/payments", PAGES))
    assert watch.leaks_in_answers(MEANT) == {Leak("page address", "/payments")}
