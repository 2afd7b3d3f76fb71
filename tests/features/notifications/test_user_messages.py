"""Do users get their codes, the right ones, once, and nobody else?"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from urllib.parse import quote

import asyncpg
import pytest

from billwright.features.identity.events import PasswordResetRequested
from billwright.features.identity.model import CodePurpose
from billwright.features.identity.operations.confirm_email import confirm_email
from billwright.features.identity.operations.delete_user import delete_user
from billwright.features.identity.operations.issue_code import issue_code
from billwright.features.identity.operations.lock_user import lock_user
from billwright.features.identity.operations.register_user import register_user
from billwright.features.identity.operations.reset_password import reset_password
from billwright.features.identity.operations.update_user import update_user
from billwright.features.notifications.model import RequestState
from billwright.features.notifications.operations import reach_users
from billwright.features.notifications.operations.console_link import ConsoleLinks
from billwright.features.notifications.port import MailUnavailable
from billwright.kernel.refusal import Refusal
from tests.conftest import BOX
from tests.features.notifications.requesting import (
    ScriptedMailer,
    a_request,
    request,
    requests_of,
    the_account,
)
from tests.features.notifications.telling_users import (
    ADA,
    CODE,
    MINUTE,
    a_user,
    ask_for_reset,
    code_in,
    delivered,
    unsent,
)


@pytest.mark.parametrize(
    ("locale", "words"),
    [("en", "confirm your e-mail address"), ("de-AT", "bestätigen Sie Ihre E-Mail-Adresse")],
)
async def test_a_code_confirms_the_address(tenant, told, locale, words):
    await a_user(tenant, locale=locale)
    await told()
    [stored] = await requests_of(tenant)
    assert (stored.account_id, stored.to_address, stored.data) == (None, ADA, {"email": ADA})
    assert stored.expires_at - stored.occurred_at == timedelta(days=7)
    [message] = await delivered(tenant)
    assert (message.recipient.email, message.sender.name) == (ADA, "Northlight Software GmbH")
    assert words in message.subject
    assert f"https://console.example.com/confirm-email?email={ADA}\n" in message.text
    user = await confirm_email(tenant.tx, BOX, email=ADA, code=code_in(message))
    assert user.email_confirmed_at is not None


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en", "The code is valid for one hour"),
        ("de", "Der Code gilt eine Stunde lang"),
    ],
)
async def test_a_code_resets_the_password_for_as_long_as_its_message_says(
    tenant, told, clock, locale, words
):
    await a_user(tenant, locale=locale)
    await told()
    await delivered(tenant)
    await ask_for_reset(tenant)
    await told()
    [message] = await delivered(tenant)
    assert words in message.text
    reset = partial(reset_password, tenant.tx, BOX, email=ADA, password="another horse")
    clock.move_to(clock.now() + 61 * MINUTE)
    with pytest.raises(Refusal):
        await reset(code=code_in(message))
    await ask_for_reset(tenant)
    await told()
    [message] = await delivered(tenant)
    clock.move_to(clock.now() + 59 * MINUTE)
    await reset(code=code_in(message))


@pytest.mark.parametrize(("locale", "words"), [("en", "does not belong"), ("de", "gehört nicht")])
async def test_a_former_address_is_told_and_the_new_one_gets_a_code(tenant, told, locale, words):
    user = await a_user(tenant, locale=locale)
    await told()
    await update_user(tenant.tx, user.id, email="lovelace@riverbank.example")
    await told()
    messages = {one.recipient.email: one for one in await delivered(tenant)}
    # The first code, for the former address, is not sent any more.
    assert set(messages) == {ADA, "lovelace@riverbank.example"}
    assert words in messages[ADA].text
    assert CODE.findall(messages[ADA].text) == []
    assert "lovelace" not in messages[ADA].text
    code = code_in(messages["lovelace@riverbank.example"])
    await confirm_email(tenant.tx, BOX, email="lovelace@riverbank.example", code=code)


@pytest.mark.parametrize(
    ("locale", "words"), [("en", "You already have"), ("de", "Sie haben bereits")]
)
async def test_who_registers_again_is_told_once_an_hour_and_nobody_gets_a_code(
    tenant, told, clock, locale, words
):
    await a_user(tenant, locale=locale)
    await told()
    await delivered(tenant)
    for _ in range(3):
        await register_user(tenant.tx, email=ADA.upper(), password="guessed it", locale="en")
        await told()
    [message] = await delivered(tenant)
    assert words in message.subject
    assert f"https://console.example.com/login?email={ADA}\n" in message.text
    assert CODE.findall(message.text) == []
    clock.move_to(clock.now() + 60 * MINUTE)
    await register_user(tenant.tx, email=ADA, password="guessed it", locale="en")
    await told()
    assert len(await delivered(tenant)) == 1


async def test_ten_resets_in_a_minute_are_one_mail_and_the_next_minute_has_its_own(
    tenant, told, clock
):
    await a_user(tenant)
    await told()
    await delivered(tenant)
    for _ in range(10):
        await ask_for_reset(tenant)
        clock.move_to(clock.now() + timedelta(seconds=5))
    await told()
    [first] = await delivered(tenant)
    clock.move_to(clock.now() + MINUTE)
    await ask_for_reset(tenant)
    await told()
    [second] = await delivered(tenant)
    assert code_in(first) != code_in(second)


async def test_a_retry_makes_another_code_and_is_another_mail(tenant, told, clock):
    """A mail that was taken while the answer got lost comes twice; a mailbox that knows its id already
    would hide the one with the valid code."""
    await a_user(tenant)
    await told()

    class LosingMailer(ScriptedMailer):
        async def deliver(self, message):
            await super().deliver(message)
            if len(self.accepted) == 1:
                raise MailUnavailable("the answer got lost")

    mailer = LosingMailer()
    await delivered(tenant, mailer)
    clock.move_to(clock.now() + 2 * MINUTE)
    first, second = await delivered(tenant, mailer)
    assert first.id != second.id
    with pytest.raises(Refusal):
        await confirm_email(tenant.tx, BOX, email=ADA, code=code_in(first))
    await confirm_email(tenant.tx, BOX, email=ADA, code=code_in(second))


async def test_of_two_requests_that_wait_the_last_one_is_sent(tenant, told, clock):
    await a_user(tenant)
    await told()
    await delivered(tenant)
    for _ in range(2):
        await ask_for_reset(tenant)
        await told()
        clock.move_to(clock.now() + MINUTE)
    [message] = await delivered(tenant)
    await reset_password(tenant.tx, BOX, email=ADA, code=code_in(message), password="another horse")
    _, former, last = await requests_of(tenant)
    assert (former.state, former.last_error) == (
        RequestState.EXPIRED,
        "another code was asked for since",
    )
    assert last.state is RequestState.DELIVERED


async def test_who_is_locked_gets_no_code(tenant, told):
    user = await a_user(tenant)
    await ask_for_reset(tenant)
    await told()
    async with tenant.tx() as tx:
        await lock_user(tx, user.id)
    assert await delivered(tenant) == []
    assert await unsent(tenant) == [
        ("user.email_confirmation_requested", "the user is locked"),
        ("user.password_reset_requested", "the user is locked"),
    ]


async def test_an_address_that_is_confirmed_needs_no_code(tenant, told):
    user = await a_user(tenant)
    await told()
    async with tenant.tx() as tx:
        code = await issue_code(tx, user.id, box=BOX, purpose=CodePurpose.CONFIRM_EMAIL)
    await confirm_email(tenant.tx, BOX, email=ADA, code=code)
    assert await delivered(tenant) == []
    assert await unsent(tenant) == [
        ("user.email_confirmation_requested", "the address is confirmed")
    ]


async def test_what_comes_too_late_is_not_sent(tenant, told, clock):
    await a_user(tenant)
    await ask_for_reset(tenant)
    await told()
    clock.move_to(clock.now() + 30 * MINUTE)
    [message] = await delivered(tenant)
    assert "confirm" in message.subject
    expired = [one for one in await requests_of(tenant) if one.state is RequestState.EXPIRED]
    assert [one.type for one in expired] == ["user.password_reset_requested"]


async def test_whoever_is_gone_is_told_nothing_and_leaves_no_message(tenant, told):
    user = await a_user(tenant)
    await told()
    async with tenant.tx() as tx:
        tx.publish(PasswordResetRequested(subject_id=user.id, account_id=None))
        await delete_user(tx, user.id)
    await told()
    assert await requests_of(tenant) == []
    assert await delivered(tenant) == []


async def test_a_code_never_follows_an_address_that_is_changed_meanwhile(tenant, told, monkeypatch):
    """The change commits after the first look at the user and before the code is made."""
    user = await a_user(tenant)
    await told()
    make = reach_users.issue_code

    async def late(tx, user_id, *, box, purpose):
        await update_user(tenant.tx, user.id, email="lovelace@riverbank.example")
        return await make(tx, user_id, box=box, purpose=purpose)

    monkeypatch.setattr(reach_users, "issue_code", late)
    assert await delivered(tenant) == []
    assert await unsent(tenant) == [
        ("user.email_confirmation_requested", "the user has another address")
    ]


async def test_who_is_deleted_while_a_code_is_made_holds_up_neither(tenant, told, monkeypatch):
    user = await a_user(tenant)
    await told()
    make = reach_users.issue_code

    async def late(tx, user_id, *, box, purpose):
        async with tenant.tx() as deleting:
            await delete_user(deleting, user.id)
        return await make(tx, user_id, box=box, purpose=purpose)

    monkeypatch.setattr(reach_users, "issue_code", late)
    assert await delivered(tenant) == []
    assert await requests_of(tenant) == []


async def test_users_come_before_letters(tenant, told, clock):
    await request(tenant, *[a_request(await the_account(tenant)) for _ in range(10)])
    clock.move_to(clock.now() + MINUTE)
    await a_user(tenant)
    await told()
    first_batch = (await delivered(tenant))[:10]
    assert ADA in {message.recipient.email for message in first_batch}


async def test_a_message_to_a_user_waits_for_no_other_one(tenant, told):
    await a_user(tenant)
    await told()
    mailer = ScriptedMailer(ada=[MailUnavailable("greylisted")])
    assert await delivered(tenant, mailer) == []
    await ask_for_reset(tenant)
    await told()
    [message] = await delivered(tenant, mailer)
    assert "password" in message.subject


async def test_no_code_is_in_the_database(tenant, told, migrated_database):
    await a_user(tenant)
    await ask_for_reset(tenant)
    await told()
    codes = [code_in(message) for message in await delivered(tenant)]
    assert len(codes) == 2
    connection = await asyncpg.connect(migrated_database)
    try:
        tables = await connection.fetch(
            "select schemaname || '.' || tablename as name from pg_tables "
            "where schemaname in ('public', 'queue')"
        )
        for table in tables:
            for row in await connection.fetch(f"select t::text as row from {table['name']} t"):
                assert not any(code in row["row"] for code in codes), table["name"]
    finally:
        await connection.close()


async def test_another_tenant_s_user_gets_nothing(tenant, other_tenant, told):
    await a_user(tenant)
    await told()
    assert await delivered(other_tenant) == []
    assert await requests_of(other_tenant) == []
    assert len(await delivered(tenant)) == 1


async def test_a_tenant_without_a_seller_writes_in_the_product_s_name(
    tenant, told, migrated_database
):
    await a_user(tenant)
    await told()
    connection = await asyncpg.connect(migrated_database)
    try:
        await connection.execute("delete from seller")
    finally:
        await connection.close()
    [message] = await delivered(tenant)
    assert (message.sender.name, message.headers) == ("Billwright", ())


def test_a_console_link_is_its_tenant_s_and_fits_into_an_address():
    links = ConsoleLinks("https://console.example.com/", {"north": "https://north.example.com"})
    odd = "a+b&c@riverbank.example"
    link_to = partial(links.link_to, "login", email=odd)
    end = f"/login?email={quote(odd, safe='@')}"
    assert link_to(tenant_code="default") == f"https://console.example.com{end}"
    assert link_to(tenant_code="north") == f"https://north.example.com{end}"
    assert ConsoleLinks().link_to("login", tenant_code="north", email=odd) is None
