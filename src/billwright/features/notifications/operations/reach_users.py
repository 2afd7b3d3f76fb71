"""Where does a message to a user go, and with which code?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from billwright.features.identity.model import CodePurpose
from billwright.features.identity.operations.issue_code import issue_code
from billwright.features.identity.sql.reads_users import users_by_id
from billwright.features.notifications.messages import MessageType
from billwright.features.notifications.model import NotificationRequest, RequestId
from billwright.features.notifications.operations.console_link import ConsoleLinks
from billwright.features.notifications.rules.user_message import why_not_to_user
from billwright.features.notifications.sql.reads import latest_to_users
from billwright.features.tenancy.sql.reads import the_tenant
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.tx import Tx
from billwright.runtime.secrets import SecretBox

_log = structlog.get_logger(__name__)

_PURPOSES = {
    MessageType.USER_EMAIL_CONFIRMATION.value: CodePurpose.CONFIRM_EMAIL,
    MessageType.USER_PASSWORD_RESET.value: CodePurpose.RESET_PASSWORD,
}
_PAGES = {
    MessageType.USER_EMAIL_CONFIRMATION.value: "confirm-email",
    MessageType.USER_PASSWORD_RESET.value: "reset-password",
    MessageType.USER_REGISTRATION_REPEATED.value: "login",
}


@dataclass(frozen=True, slots=True)
class ToUser:
    """What a message to a user says that is stored nowhere, and where it leads; or why it is not sent
    any more.
    """

    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    links: Mapping[str, str] = field(default_factory=dict)
    over: str | None = None


async def reach_users(
    tx: Tx, requests: Sequence[NotificationRequest], *, box: SecretBox, console: ConsoleLinks
) -> dict[RequestId, ToUser]:
    """What each of the requests becomes that are for users. Every attempt makes a new code, so that the
    latest message is right, and the code before it is void.
    """
    asked = [one for one in requests if one.user_id is not None]
    if not asked:
        return {}
    tenant = await the_tenant(tx)
    over = await _what_is_over(tx, asked)
    codes = await _codes(tx, [one for one in asked if over[one.id] is None], box=box)
    # A code proves the address that the user has, which may be another one since the first look. Now
    # that a code locks the user, it stays what it is.
    over_since = await _what_is_over(tx, asked)
    return {
        one.id: ToUser(
            secrets={"code": codes[one.id]} if one.id in codes else {},
            links=_links(one, console=console, tenant_code=tenant.code),
            over=over[one.id] or over_since[one.id],
        )
        for one in asked
    }


async def _what_is_over(
    tx: Tx, asked: Sequence[NotificationRequest]
) -> dict[RequestId, str | None]:
    user_ids = list({one.user_id for one in asked if one.user_id is not None})
    users = await users_by_id(tx, user_ids)
    last = await latest_to_users(tx, user_ids)
    over: dict[RequestId, str | None] = {}
    for one in asked:
        over[one.id] = None
        # Whoever had the address that was given up is told in any case.
        if one.user_id is not None and one.type != MessageType.USER_EMAIL_CHANGED.value:
            over[one.id] = why_not_to_user(
                one,
                users.get(one.user_id),
                purpose=_PURPOSES.get(one.type),
                last=last.get((one.user_id, one.type), one.sequence),
            )
    return over


async def _codes(
    tx: Tx, asked: Sequence[NotificationRequest], *, box: SecretBox
) -> dict[RequestId, str]:
    """A new code for each request that needs one. They come in one order, in which two workers with
    codes for the same users cannot wait for each other.
    """
    wanted = [
        (one.user_id, _PURPOSES[one.type], one.id)
        for one in asked
        if one.user_id is not None and one.type in _PURPOSES
    ]
    codes: dict[RequestId, str] = {}
    for user_id, purpose, request_id in sorted(wanted):
        try:
            codes[request_id] = await issue_code(tx, user_id, box=box, purpose=purpose)
        except Refusal:
            _log.info("user gone before a code was made", request_id=str(request_id))
    return codes


def _links(
    request: NotificationRequest, *, console: ConsoleLinks, tenant_code: str
) -> dict[str, str]:
    page = _PAGES.get(request.type)
    if page is None or request.to_address is None:
        return {}
    link = console.link_to(page, tenant_code=tenant_code, email=request.to_address)
    return {} if link is None else {"console": link}
