"""Does every message leave once, in order, and does none keep others waiting?"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from billwright.features.notifications.jobs import deliver_due_requests
from billwright.features.notifications.model import RequestState
from billwright.features.notifications.port import MailRejected, MailUnavailable
from billwright.kernel.ids import new_id
from billwright.providers.mail.folder import FolderMailer
from tests.features.notifications.requesting import (
    SENDER_EMAIL,
    ScriptedMailer,
    a_request,
    request,
    requests_of,
    the_account,
    work_with,
)

DAY = timedelta(days=1)


async def test_a_message_is_delivered_once(tenant, clock):
    await request(tenant, a_request(await the_account(tenant)))
    mailer = ScriptedMailer()
    assert await deliver_due_requests(work_with(tenant, mailer)) == 1
    clock.move_to(clock.now() + DAY)
    assert await deliver_due_requests(work_with(tenant, mailer)) == 0
    [stored], [message] = await requests_of(tenant), mailer.accepted
    assert (stored.state, stored.attempts) == (RequestState.DELIVERED, 1)
    assert stored.delivered_at == clock.now() - DAY
    assert message.id == stored.id
    assert (message.sender.email, message.sender.name) == (SENDER_EMAIL, "Northlight Software GmbH")
    assert message.recipient.email == "books@riverbank.example"
    assert message.headers == (("Reply-To", "billing@northlight.example"),)
    assert "INV-2026-00001" in message.subject
    assert "€46.29" in message.text
    assert "Hauptstraße 1, 10115 Berlin" in message.text


async def test_a_mail_server_that_is_away_is_tried_again_and_others_leave(tenant, clock):
    slow = await the_account(tenant, "slow")
    await request(tenant, a_request(slow), a_request(await the_account(tenant)))
    mailer = ScriptedMailer(slow=[MailUnavailable("try later")])
    assert await deliver_due_requests(work_with(tenant, mailer)) == 1
    [waiting] = await requests_of(tenant, slow.id)
    assert (waiting.state, waiting.last_error) == (RequestState.PENDING, "try later")
    pause = waiting.next_attempt_at - clock.now()
    assert timedelta(seconds=45) <= pause <= timedelta(seconds=75)
    clock.move_to(waiting.next_attempt_at)
    assert await deliver_due_requests(work_with(tenant, mailer)) == 1
    assert len({message.id for message in mailer.accepted}) == len(mailer.accepted) == 2


async def test_after_about_three_days_a_message_is_given_up(tenant, clock):
    await request(tenant, a_request(await the_account(tenant)))
    began, mailer = clock.now(), ScriptedMailer(books=[MailUnavailable("away")] * 100)
    while (stored := (await requests_of(tenant))[0]).state is RequestState.PENDING:
        clock.move_to(max(clock.now(), stored.next_attempt_at))
        await deliver_due_requests(work_with(tenant, mailer))
    assert stored.state is RequestState.DEAD
    assert (stored.next_attempt_at, stored.last_error, mailer.tries) == (None, "away", 20)
    assert 2 * DAY < clock.now() - began < 4 * DAY


async def test_a_refused_mail_is_dead_at_once(tenant):
    await request(tenant, a_request(await the_account(tenant)))
    mailer = ScriptedMailer(books=[MailRejected("550 no such user")])
    assert await deliver_due_requests(work_with(tenant, mailer)) == 0
    [stored] = await requests_of(tenant)
    assert (stored.state, stored.last_error) == (RequestState.DEAD, "550 no such user")


async def test_a_message_about_a_thing_waits_for_the_one_before(tenant, clock):
    account, subject = await the_account(tenant), new_id()
    await request(
        tenant,
        *(
            a_request(account, subject_id=subject, dedup_key=f"step:{n}", priority=n)
            for n in range(3)
        ),
    )
    mailer = ScriptedMailer(books=[MailUnavailable("away")])
    assert await deliver_due_requests(work_with(tenant, mailer)) == 0
    assert mailer.tries == 1
    clock.move_to(clock.now() + timedelta(minutes=2))
    assert await deliver_due_requests(work_with(tenant, mailer)) == 3
    stored = await requests_of(tenant)
    assert [message.id for message in mailer.accepted] == [one.id for one in stored]


async def test_a_message_that_is_too_old_expires(tenant, clock):
    await request(tenant, a_request(await the_account(tenant)))
    clock.move_to(clock.now() + 30 * DAY)
    mailer = ScriptedMailer()
    assert await deliver_due_requests(work_with(tenant, mailer)) == 0
    assert (await requests_of(tenant))[0].state is RequestState.EXPIRED
    assert mailer.tries == 0


async def test_a_message_that_cannot_be_written_keeps_no_other_waiting(tenant):
    account = await the_account(tenant)
    await request(tenant, a_request(account, data={}), a_request(account))
    mailer = ScriptedMailer()
    assert await deliver_due_requests(work_with(tenant, mailer)) == 1
    broken, sound = await requests_of(tenant)
    assert broken.state is RequestState.PENDING
    assert "lacks" in (broken.last_error or "")
    assert sound.state is RequestState.DELIVERED


async def test_when_the_mail_server_is_away_the_run_ends_after_one_batch(tenant):
    account = await the_account(tenant)
    await request(tenant, *(a_request(account) for _ in range(25)))
    mailer = ScriptedMailer(books=[MailUnavailable("away")] * 100)
    assert await deliver_due_requests(work_with(tenant, mailer)) == 0
    assert mailer.tries == 10


async def test_many_leave_in_batches_and_workers_share_them(tenant):
    account = await the_account(tenant)
    await request(tenant, *(a_request(account) for _ in range(45)))
    mailer = ScriptedMailer()
    delivered = await asyncio.gather(
        *(deliver_due_requests(work_with(tenant, mailer)) for _ in range(3))
    )
    assert sum(delivered) == 45
    assert len({message.id for message in mailer.accepted}) == len(mailer.accepted) == 45


async def test_a_crash_before_the_record_repeats_the_mail_under_the_same_id(
    tenant, clock, tmp_path
):
    await request(tenant, a_request(await the_account(tenant)))

    class Crash(BaseException):
        pass

    class CrashingMailer(FolderMailer):
        async def deliver(self, message):
            await super().deliver(message)
            raise Crash

    with pytest.raises(Crash):
        await deliver_due_requests(work_with(tenant, CrashingMailer(tmp_path)))
    folder = FolderMailer(tmp_path)
    assert await deliver_due_requests(work_with(tenant, folder)) == 0
    clock.move_to(clock.now() + timedelta(minutes=10))
    assert await deliver_due_requests(work_with(tenant, folder)) == 1
    [stored] = await requests_of(tenant)
    assert (stored.state, stored.attempts) == (RequestState.DELIVERED, 2)
    assert [file.name for file in tmp_path.iterdir()] == [f"{stored.id}.eml"]


async def test_another_tenant_s_messages_are_left_alone(tenant, other_tenant):
    await request(tenant, a_request(await the_account(tenant)))
    mailer = ScriptedMailer()
    assert await deliver_due_requests(work_with(other_tenant, mailer)) == 0
    assert mailer.tries == 0


async def test_a_mail_that_was_accepted_counts_although_its_lease_ran_out(tenant, clock):
    await request(tenant, a_request(await the_account(tenant)))
    accepted, overtaken = asyncio.Event(), asyncio.Event()

    class SlowMailer(ScriptedMailer):
        async def deliver(self, message):
            accepted.set()
            await overtaken.wait()

    class AwayMailer(ScriptedMailer):
        async def deliver(self, message):
            overtaken.set()
            await slow
            raise MailUnavailable("away")

    slow = asyncio.create_task(deliver_due_requests(work_with(tenant, SlowMailer())))
    await accepted.wait()
    clock.move_to(clock.now() + timedelta(minutes=10))
    assert await deliver_due_requests(work_with(tenant, AwayMailer())) == 0
    assert await slow == 1
    [stored] = await requests_of(tenant)
    assert (stored.state, stored.attempts) == (RequestState.DELIVERED, 2)
