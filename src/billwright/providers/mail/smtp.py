"""How is a mail handed to an SMTP server?"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from enum import StrEnum

import aiosmtplib

from billwright.features.notifications.port import MailRejected, MailUnavailable, Message
from billwright.providers.mail import mime_of

_FAREWELL_SECONDS = 2


class TlsMode(StrEnum):
    """`starttls` never falls back to plain text when the server does not offer it."""

    NONE = "none"
    STARTTLS = "starttls"
    IMPLICIT = "implicit"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpServer:
    """`timeout_seconds` bounds a whole delivery, all its steps together; `tls_context` replaces the
    system's trust store, for a server with a certificate of one's own.
    """

    host: str
    port: int
    tls: TlsMode = TlsMode.STARTTLS
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout_seconds: int = 30
    tls_context: ssl.SSLContext | None = field(default=None, repr=False, compare=False)


class SmtpMailer:
    """A `Mailer` with one connection per mail.

    What the server says about the sender, the recipient or the content for good (5xx) is a rejection.
    Everything else is unavailability, and so is a refused login: the mail is not to blame for it.
    """

    def __init__(self, server: SmtpServer) -> None:
        self._server = server

    async def deliver(self, message: Message) -> None:
        mime = mime_of(message)
        server = self._server
        try:
            await self._hand_over(mime, message)
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _answer(error.recipients[0]) from error
        except (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPDataError) as error:
            raise _answer(error) from error
        except aiosmtplib.SMTPNotSupported as error:
            # An address outside ASCII and a server without SMTPUTF8 (RFC 6531).
            raise MailRejected(str(error)) from error
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise MailUnavailable(f"{server.host}:{server.port}: {error!r}") from error

    async def _hand_over(self, mime: EmailMessage, message: Message) -> None:
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            use_tls=server.tls is TlsMode.IMPLICIT,
            start_tls=server.tls is TlsMode.STARTTLS,
            tls_context=server.tls_context,
            timeout=server.timeout_seconds,
        )
        try:
            async with asyncio.timeout(server.timeout_seconds):
                await client.connect()
                await client.send_message(
                    mime, sender=message.sender.email, recipients=[message.recipient.email]
                )
            # The mail is accepted by now, so a farewell that fails must not make it look undelivered.
            with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                await client.quit(timeout=_FAREWELL_SECONDS)
        finally:
            client.close()


def _answer(error: aiosmtplib.SMTPResponseException) -> MailRejected | MailUnavailable:
    said = f"{error.code} {error.message}"
    # 530 asks for a login or for TLS (RFC 4954, RFC 3207), whatever command it answers.
    for_good = error.code >= 500 and error.code != 530
    return MailRejected(said) if for_good else MailUnavailable(said)
