"""What does a mailed code open, how often, and for how long?"""

from __future__ import annotations

import asyncio
import string
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from billwright.features.identity.model import CodePurpose, OneTimeCode
from billwright.features.identity.operations.confirm_email import confirm_email
from billwright.features.identity.operations.issue_code import digests_of
from billwright.features.identity.operations.reset_password import reset_password
from billwright.features.identity.operations.sign_in import sign_in
from billwright.features.identity.operations.update_user import update_user
from billwright.features.identity.rules.codes import (
    ATTEMPTS,
    after_wrong_attempt,
    expiry_of,
    is_open,
)
from billwright.kernel.ids import new_id
from billwright.runtime.secrets import SecretBox
from tests.conftest import BOX, NOON
from tests.features.identity.people import (
    PASSWORD,
    a_user,
    an_admin,
    audited,
    code_of,
    mailed,
    together,
    types_of,
)

BO = "bo@northlight.example"
NEW = "a whole new sentence"
HOUR = timedelta(hours=1)
CONFIRM, RESET = CodePurpose.CONFIRM_EMAIL, CodePurpose.RESET_PASSWORD


def other_than(code: str) -> str:
    return code[:-1] + ("A" if code[-1] != "A" else "B")


def confirming(tenant, code: str, *, email: str = BO, box: SecretBox = BOX):
    return confirm_email(tenant.tx, box, email=email, code=code)


def resetting(tenant, code: str, *, email: str = BO):
    return reset_password(tenant.tx, BOX, email=email, code=code, password=NEW)


async def unconfirmed(tenant):
    await an_admin(tenant)
    return await a_user(tenant, BO)


async def test_a_code_confirms_the_address_once(tenant):
    user = await unconfirmed(tenant)
    code = await mailed(tenant, user.id)
    assert len(code) == 6
    assert set(code) <= set(string.ascii_uppercase + string.digits)
    confirmed = await confirming(tenant, code, email=f" {BO.upper()}")
    assert confirmed.email_confirmed_at == NOON
    assert await sign_in(tenant.tx, email=BO, password=PASSWORD) == confirmed
    assert await code_of(confirming(tenant, code)) == "code_invalid"
    assert await audited(tenant, "user.confirm_email") == [("user", user.id, {})]


async def test_a_code_sets_a_password_once_and_confirms_the_address(tenant):
    user = await unconfirmed(tenant)
    to_confirm, code = await mailed(tenant, user.id), await mailed(tenant, user.id, RESET)
    assert await code_of(confirming(tenant, code)) == "code_invalid"
    done = await resetting(tenant, code)
    assert (done.token_version, done.email_confirmed_at) == (user.token_version + 1, NOON)
    assert await sign_in(tenant.tx, email=BO, password=NEW) == done
    assert await code_of(sign_in(tenant.tx, email=BO, password=PASSWORD)) == "sign_in_failed"
    assert await code_of(resetting(tenant, code)) == "code_invalid"
    assert await code_of(confirming(tenant, to_confirm)) == "code_invalid"
    assert (await types_of(tenant, user.id))[-1] == "updated"
    assert await audited(tenant, "user.reset_password") == [("user", user.id, {})]


async def test_one_code_is_used_by_one_of_many_at_once(tenant):
    user = await unconfirmed(tenant)
    code = await mailed(tenant, user.id, RESET)
    open_tx = together(tenant, 4)
    results = await asyncio.gather(
        *(reset_password(open_tx, BOX, email=BO, code=code, password=NEW) for _ in range(4)),
        return_exceptions=True,
    )
    assert [getattr(one, "code", "set") for one in results].count("set") == 1


async def test_a_newer_code_replaces_the_older_one(tenant):
    user = await unconfirmed(tenant)
    older, newer = await mailed(tenant, user.id), await mailed(tenant, user.id)
    assert await code_of(confirming(tenant, older)) == "code_invalid"
    assert (await confirming(tenant, newer)).email_confirmed_at is not None


async def test_wrong_attempts_count_although_they_are_refused(tenant):
    user = await unconfirmed(tenant)
    code = await mailed(tenant, user.id)
    for _ in range(ATTEMPTS - 1):
        assert await code_of(confirming(tenant, other_than(code))) == "code_invalid"
    assert (await confirming(tenant, code)).email_confirmed_at is not None
    refused = await audited(tenant, "user.code_refused")
    assert refused == [("user", user.id, {"email": BO, "purpose": "confirm_email"})] * 4


async def test_many_attempts_at_once_are_no_more_attempts(tenant):
    user = await unconfirmed(tenant)
    code = await mailed(tenant, user.id, RESET)
    open_tx, wrong = together(tenant, ATTEMPTS), other_than(code)
    await asyncio.gather(
        *(
            reset_password(open_tx, BOX, email=BO, code=wrong, password=NEW)
            for _ in range(ATTEMPTS)
        ),
        return_exceptions=True,
    )
    assert await code_of(resetting(tenant, code)) == "code_invalid"
    assert "email_confirmation_requested" not in (await types_of(tenant, user.id))[2:]


async def test_another_code_is_mailed_when_the_attempts_are_used_up_once_an_hour(tenant, clock):
    user = await unconfirmed(tenant)

    async def use_up() -> int:
        code = await mailed(tenant, user.id)
        for _ in range(ATTEMPTS + 1):
            await code_of(confirming(tenant, other_than(code)))
        assert await code_of(confirming(tenant, code)) == "code_invalid"
        return (await types_of(tenant, user.id)).count("email_confirmation_requested")

    assert await use_up() == 2
    assert await use_up() == 2
    clock.move_to(NOON + HOUR)
    await code_of(confirming(tenant, "AAAAAA"))
    assert (await types_of(tenant, user.id)).count("email_confirmation_requested") == 3


async def test_a_reset_code_ends_after_an_hour_and_a_confirmation_never(tenant, clock):
    user = await unconfirmed(tenant)
    to_confirm, code = await mailed(tenant, user.id), await mailed(tenant, user.id, RESET)
    clock.move_to(NOON + HOUR)
    assert await code_of(resetting(tenant, code)) == "code_invalid"
    clock.move_to(NOON + HOUR * 20_000)
    assert (await confirming(tenant, to_confirm)).email_confirmed_at is not None


async def test_a_code_is_nobody_elses_and_of_no_other_address(tenant, other_tenant):
    user = await unconfirmed(tenant)
    code = await mailed(tenant, user.id)
    await unconfirmed(other_tenant)
    other = await a_user(tenant, "cy@northlight.example")
    await mailed(tenant, other.id)
    assert await code_of(confirming(tenant, code, email=other.email)) == "code_invalid"
    assert await code_of(confirming(other_tenant, code)) == "code_invalid"
    assert await code_of(confirming(tenant, code, email="nobody@x.example")) == "code_invalid"
    ((about, subject_id, _),) = (
        entry for entry in await audited(tenant, "user.code_refused") if entry[0] == "tenant"
    )
    assert (about, subject_id) == ("tenant", tenant.id)
    await update_user(tenant.tx, user.id, email="bo@riverbank.example")
    await mailed(tenant, user.id)
    moved = confirming(tenant, code, email="bo@riverbank.example")
    assert await code_of(moved) == "code_invalid"


async def test_a_digest_says_for_what_and_for_whom_it_is(tenant, other_tenant):
    user = await unconfirmed(tenant)
    users = [user, replace(user, id=new_id()), replace(user, email="bo@riverbank.example")]
    digests = []
    for one in (tenant, other_tenant):
        async with one.tx() as tx:
            digests += [
                digests_of(tx, BOX, code="AAAAAA", purpose=purpose, user=whose)[0]
                for purpose in CodePurpose
                for whose in users
            ]
    assert len(set(digests)) == 12


async def test_a_code_outlives_a_change_of_the_key_and_is_worth_nothing_without_it(tenant):
    user = await unconfirmed(tenant)
    code = await mailed(tenant, user.id)
    fresh = bytes(reversed(range(32)))
    assert await code_of(confirming(tenant, code, box=SecretBox(fresh))) == "code_invalid"
    changed = SecretBox(fresh, retired=[bytes(range(32))])
    assert (await confirming(tenant, code, box=changed)).email_confirmed_at is not None


async def test_a_code_is_stored_nowhere(tenant, postgres_server, migrated_database):
    user = await unconfirmed(tenant)
    code = await mailed(tenant, user.id)
    name = migrated_database.rpartition("/")[2]
    for table in ("one_time_code", "audit_entry", "event"):
        rows = postgres_server.execute(f"select t::text from {table} t", database=name)
        assert code not in rows


async def test_nobody_who_is_gone_gets_a_code(tenant):
    assert await code_of(mailed(tenant, new_id())) == "user_unknown"


@given(
    st.sampled_from(CodePurpose),
    st.lists(st.timedeltas(timedelta(0), HOUR), max_size=20),
)
def test_a_code_closes_for_good_and_is_renewed_at_most_once_an_hour(purpose, pauses):
    now, renewals = NOON, []
    code = OneTimeCode(
        user_id=new_id(),
        purpose=purpose,
        digest=b"",
        attempts_left=ATTEMPTS,
        expires_at=expiry_of(purpose, now=now),
        created_at=now,
        renewed_at=None,
    )
    for number, pause in enumerate(pauses, start=1):
        now += pause
        was_open = is_open(code, now=now)
        tried = after_wrong_attempt(code, now=now)
        assert tried.attempts_left == max(0, ATTEMPTS - number)
        assert was_open or not is_open(tried, now=now)
        assert is_open(tried, now=now) == (
            number < ATTEMPTS and (purpose is CONFIRM or now < NOON + HOUR)
        )
        if tried.renewed_at != code.renewed_at:
            renewals.append(now)
        code = tried
    assert all(later - earlier >= HOUR for earlier, later in pairwise(renewals))
    assert bool(renewals) == (purpose is CONFIRM and len(pauses) >= ATTEMPTS)
