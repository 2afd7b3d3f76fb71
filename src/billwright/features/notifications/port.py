"""What does notifications ask of whoever carries a mail?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID


class MailRejected(Exception):  # noqa: N818 - it names the answer
    """This mail will never be accepted; sending it again is pointless."""


class MailUnavailable(Exception):  # noqa: N818 - it names the answer
    """It could not be handed over now; the same message may be tried again later."""


@dataclass(frozen=True, slots=True)
class MailAddress:
    email: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """`media_type` is like `application/pdf`."""

    file_name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A mail to one recipient, so that it is either accepted or not, never partly.

    `id` becomes the Message-ID and stays the same over retries; `headers` are additional ones, such
    as `Reply-To`.
    """

    id: UUID
    sender: MailAddress
    recipient: MailAddress
    subject: str
    text: str
    sent_at: datetime
    html: str | None = None
    attachments: tuple[Attachment, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()


class Mailer(Protocol):
    async def deliver(self, message: Message) -> None:
        """Return when the mail is accepted; `MailRejected` when it never will be, `MailUnavailable`
        when it may be later. A mail that was accepted while the answer got lost is delivered again by
        a retry, under the same Message-ID.
        """
        ...


@dataclass(frozen=True, slots=True)
class MailChannel:
    """How mails leave this installation: who carries them, and the address they all come from."""

    mailer: Mailer
    sender_email: str


class ServiceRejected(Exception):  # noqa: N818 - it names the answer
    """The service will never take this request; sending it again is pointless."""


class ServiceUnavailable(Exception):  # noqa: N818 - it names the answer
    """It could not be handed over now; the same request may be sent again later."""


class TypeStopped(Exception):  # noqa: N818 - it names the answer
    """The service wants no requests of this type any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRequest:
    """A request in the form that goes to a notification service: `id` stays over retries."""

    id: UUID
    body: bytes
    sent_at: datetime


class Notifier(Protocol):
    async def submit(self, request: ServiceRequest) -> None:
        """Return when the service has taken the request, now or before. Raises `ServiceRejected`,
        `ServiceUnavailable` and `TypeStopped`.
        """
        ...
