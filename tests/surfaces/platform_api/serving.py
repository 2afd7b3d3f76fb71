"""How does a test send any number of requests to the platform API over a real connection?

The application listens on 127.0.0.1 in a thread of its own. It is given one database after another, so
that what one test changes no other test sees.
"""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from starlette.types import Receive, Scope, Send

from billwright.entrypoints.application import Application
from billwright.features.identity.model import FULL_ACCESS, READ_ACCESS
from billwright.features.identity.operations.create_api_key import create_api_key
from billwright.features.payment_providers.port import PaymentProviders
from billwright.providers.document.typst.renderer import TypstInvoiceRenderer
from billwright.providers.payment import discover as discover_payment_providers
from billwright.providers.payment.sandbox.provider import SandboxProvider
from billwright.runtime.clock import FixedClock
from billwright.runtime.db.database import Database
from billwright.runtime.queue.outbox import QueueOutbox
from billwright.runtime.queue.registry import Registry
from billwright.runtime.settings import load_settings
from billwright.surfaces.web.wiring import Wiring
from tests.conftest import BOX, NOON, Tenant, make_tenant
from tests.isolation.story import live
from tests.surfaces.platform_api.requests import PLAN

Names = Mapping[str, Sequence[Any]]

# After whatever the story did at noon and in the minutes that followed.
AFTERWARDS = NOON + timedelta(days=1)

_GIVEN: Names = {
    "code": ["account_unknown"],
    "kind": ["invoice", "credit_note"],
    "component": [one["code"] for one in PLAN["components"]],
    "number": [1],
}
_MOST_NAMES = 5

_PARAMETER = re.compile(r"{(\w+)}")
_ID = re.compile(r"([\w-]+)/{(\w+_)(id|code)}")


@dataclass(frozen=True, slots=True)
class Keys:
    """What a caller may show: all rights, or only that of reading."""

    full: str
    reading: str


async def settle(dsn: str, registry: Registry) -> Keys:
    """Fill a migrated database with the life of a tenant."""
    database = await Database.connect(
        dsn, outbox=QueueOutbox(registry), size=3, clock=FixedClock(NOON)
    )
    try:
        tenant = await make_tenant(database, "default")
        await live(tenant, registry)
        return Keys(await _key(tenant, FULL_ACCESS), await _key(tenant, READ_ACCESS))
    finally:
        await database.close()


async def _key(tenant: Tenant, scope: str) -> str:
    async with tenant.tx() as tx:
        return (await create_api_key(tx, name=scope, scopes=(scope,))).text


@dataclass(frozen=True, slots=True)
class World:
    """Where the API is, who may call it, and by which names things exist."""

    address: str
    keys: Keys
    names: Names


class Server:
    """The whole application on a port of its own; it answers from one database at a time."""

    def __init__(self, home: Path, *, registry: Registry, renderer: TypstInvoiceRenderer) -> None:
        self._registry, self._renderer = registry, renderer
        self._settings = load_settings({"BILLWRIGHT_HOME": str(home)})
        self._application = Application(self._settings)
        self._loop = asyncio.new_event_loop()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}/api/billing"

    @contextmanager
    def listening(self) -> Iterator[Server]:
        server = uvicorn.Server(
            uvicorn.Config(
                self._answer,
                interface="asgi3",
                http="httptools",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
            )
        )
        serving = server.serve(sockets=[self._listener])
        thread = threading.Thread(target=self._loop.run_until_complete, args=[serving])
        thread.start()
        try:
            yield self
        finally:
            server.should_exit = True
            thread.join()
            self._loop.close()

    @contextmanager
    def answering_from(self, dsn: str) -> Iterator[None]:
        """Until the block ends."""
        database = self._run(
            Database.connect(
                dsn, outbox=QueueOutbox(self._registry), size=2, clock=FixedClock(AFTERWARDS)
            )
        )
        self._application = Application(self._settings)
        sandbox = SandboxProvider(lambda: AFTERWARDS, callback_secrets=["whsec_test"])
        self._application.wire(
            Wiring(
                database=database,
                metrics=self._application.metrics,
                invoice_renderer=self._renderer,
                payment_providers=PaymentProviders(
                    {**discover_payment_providers(), "sandbox": sandbox}
                ),
                secret_box=BOX,
            )
        )
        try:
            yield
        finally:
            self._run(database.close())

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._application.asgi(scope, receive, send)

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=120)


def names_in(address: str, keys: Keys, *, paths: Iterable[str]) -> Names:
    """By parameter, the names of what exists, as far as the lists tell."""
    names: dict[str, Sequence[Any]] = dict(_GIVEN)
    listed = _lists(paths)
    headers = {"Authorization": f"Bearer {keys.full}"}
    with httpx2.Client(base_url=address, headers=headers) as client:
        names["setup_id"] = [_add_what_the_story_leaves_out(client)]
        for parameter, (path, member) in sorted(
            listed.items(), key=lambda one: one[1][0].count("{")
        ):
            answers = [client.get(one) for one in _addresses(path, names)]
            entries = [
                one for answer in answers for one in answer.raise_for_status().json()["data"]
            ]
            names[parameter] = [one.get(parameter, one.get(member)) for one in entries][
                :_MOST_NAMES
            ]
    return names


def _add_what_the_story_leaves_out(client: httpx2.Client) -> str:
    """A trial, a contact, and the setup of a payment method, whose id no list has."""

    def post(path: str, **body: Any) -> Any:
        return client.post(path, json=body).raise_for_status().json()

    account = post("/accounts", name="Hillside Press")["id"]
    post("/accounts/" + account + "/contacts", name="Ada", email="ada@hillside.example")
    plan = client.get("/plans").raise_for_status().json()["data"][0]["code"]
    post("/subscriptions", account_id=account, plan_code=plan, trial_days=14)
    pages = {f"{way}_url": f"https://app.example/{way}" for way in ("success", "cancel")}
    setup: str = post(f"/accounts/{account}/payment-methods/setup", **pages)["id"]
    return setup


def _lists(paths: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Of each id or code in a path, where it is listed, and as which member: below the same noun."""
    by_noun = {path.rpartition("/")[2]: path for path in sorted(paths, key=len, reverse=True)}
    found = (name for path in paths for name in _ID.finditer(path))
    return {name[2] + name[3]: (by_noun[name[1]], name[3]) for name in found if name[1] in by_noun}


def _addresses(path: str, names: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    """A path with each of the names that it may have."""
    found = _PARAMETER.search(path)
    if found is None:
        yield path
        return
    for name in names[found[1]]:
        yield from _addresses(path.replace(found[0], str(name)), names)
