"""Does a platform see which messages were asked for, to users too, and never a code?"""

from __future__ import annotations

from billwright.features.identity.model import Role
from billwright.features.identity.operations.create_user import create_user
from billwright.features.notifications.jobs import deliver_due_requests
from tests.features.notifications.requesting import ScriptedMailer, run_reactions, work_with
from tests.surfaces.platform_api.requests import got


async def test_a_message_to_a_user_is_listed_without_its_code(
    tenant, database, registry, client, other_client
):
    for name in ("root", "ada"):
        user = await create_user(
            tenant.tx,
            email=f"{name}@riverbank.example",
            password="correct horse",
            role=Role.USER,
            locale="de",
        )
    await run_reactions(database, registry)
    await deliver_due_requests(work_with(tenant, ScriptedMailer()))
    [listed] = (await got(client, "/notification-requests", subject_id=str(user.id)))["data"]
    assert listed["type"] == "user.email_confirmation_requested"
    assert (listed["account_id"], listed["user_id"]) == (None, str(user.id))
    assert (listed["recipient_role"], listed["state"]) == ("user", "delivered")
    assert listed["data"] == {"email": "ada@riverbank.example"}
    assert await got(client, f"/notification-requests/{listed['id']}") == listed
    assert (await got(other_client, "/notification-requests"))["data"] == []
