"""Does a notification service get what a user is to be told, with the code and where to?"""

from __future__ import annotations

import base64
import hmac
import json

from billwright.features.identity.operations.confirm_email import confirm_email
from billwright.features.notifications.port import (
    ServiceUnavailable,
)
from billwright.providers.notification.http_api import HttpNotifier
from tests.conftest import BOX
from tests.features.notifications.requesting import (
    requests_of,
)
from tests.features.notifications.telling_users import (
    ADA,
    MINUTE,
    a_user,
    delivered,
)
from tests.features.notifications.test_notifier import ScriptedNotifier
from tests.providers.webhook.receiving import receiver, reply


async def test_the_service_gets_the_code_and_the_address_under_its_signature(tenant, told):
    user = await a_user(tenant)
    await told()
    key = bytes(range(32))
    secret = f"whsec_{base64.b64encode(key).decode()}"
    async with receiver(reply(202)) as service:
        notifier = HttpNotifier(f"http://127.0.0.1:{service.port}", secret=secret)
        assert await delivered(tenant, service=notifier) == []
    [(_, headers, body)] = service.requests
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    signature = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    assert headers["webhook-signature"] == f"v1,{signature}"
    said = json.loads(body)
    assert said["recipient"] == {"user_id": str(user.id), "email": ADA, "role": "user"}
    assert said["links"] == {"console": f"https://console.example.com/confirm-email?email={ADA}"}
    assert said["data"].keys() == {"email", "code"}
    [stored] = await requests_of(tenant)
    assert (stored.data, said["id"]) == ({"email": ADA}, str(stored.id))
    await confirm_email(tenant.tx, BOX, email=ADA, code=said["data"]["code"])


async def test_the_service_is_asked_for_another_message_when_the_code_is_another(
    tenant, told, clock
):
    await a_user(tenant)
    await told()
    notifier = ScriptedNotifier(ServiceUnavailable("the answer got lost"))
    for _ in range(2):
        await delivered(tenant, service=notifier)
        clock.move_to(clock.now() + 2 * MINUTE)
    first, second = (json.loads(asked.body) for asked in notifier.asked)
    for name in ("id", "dedup_key"):
        assert first[name] != second[name]
    assert [str(asked.id) for asked in notifier.asked] == [first["id"], second["id"]]
    await confirm_email(tenant.tx, BOX, email=ADA, code=second["data"]["code"])
