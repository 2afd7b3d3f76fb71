"""What do tests of messages to users start from? A user, what is delivered, and the codes in it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

from billwright.features.identity.model import User
from billwright.features.identity.operations.create_user import create_user
from billwright.features.identity.operations.request_password_reset import request_password_reset
from billwright.features.notifications.jobs import deliver_due_requests
from billwright.features.notifications.model import RequestState
from billwright.features.notifications.port import Message, Notifier
from billwright.kernel.ids import new_id
from tests.conftest import Tenant
from tests.features.notifications.requesting import ScriptedMailer, requests_of, wired

ADA = "ada@riverbank.example"
PASSWORD = "correct horse"
MINUTE = timedelta(minutes=1)
CODE = re.compile(r"^    ([A-Z0-9]{6})$", re.MULTILINE)


async def a_user(tenant: Tenant, *, locale: str = "en", email: str = ADA) -> User:
    """A user whose address is not confirmed; there is an administrator already."""
    await create_user(
        tenant.tx, email=f"{new_id()}@office.example", password=PASSWORD, role=None, locale="en"
    )
    return await create_user(tenant.tx, email=email, password=PASSWORD, role=None, locale=locale)


async def ask_for_reset(tenant: Tenant, email: str = ADA) -> None:
    async with tenant.tx() as tx:
        await request_password_reset(tx, email=email)


async def delivered(
    tenant: Tenant, mailer: Any = None, *, service: Notifier | None = None
) -> list[Message]:
    """The mails that have left, when what is due has been delivered."""
    mailer = mailer or ScriptedMailer()
    providers = {**wired(mailer), Notifier: service}
    await deliver_due_requests(replace(tenant.work(), providers=providers))
    accepted: list[Message] = mailer.accepted
    return accepted


def code_in(message: Message) -> str:
    """The code of a mail, which its two forms show alike."""
    [code] = CODE.findall(message.text)
    assert f">{code}</td>" in (message.html or "")
    return str(code)


async def unsent(tenant: Tenant) -> list[tuple[str, str | None]]:
    """What all users were not told any more, and why."""
    stored = [one for one in await requests_of(tenant) if one.user_id is not None]
    assert all(one.state is RequestState.EXPIRED for one in stored)
    return [(one.type, one.last_error) for one in stored]
