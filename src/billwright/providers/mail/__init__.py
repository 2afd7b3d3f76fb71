"""How does a message look on the wire, whichever way it leaves?"""

from __future__ import annotations

from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from billwright.features.notifications.port import MailAddress, MailRejected, Message


def mime_of(message: Message) -> EmailMessage:
    """An RFC 5322 mail; refuses (`MailRejected`) what cannot be written as one, such as an address
    or a subject with a line break in it.
    """
    try:
        return _mime_of(message)
    except (MessageError, ValueError) as error:
        raise MailRejected(f"not a mail that can be written: {error}") from error


def _mime_of(message: Message) -> EmailMessage:
    mime = EmailMessage(policy=SMTP)
    mime["Message-ID"] = f"<{message.id}@{_address(message.sender).domain}>"
    mime["Date"] = format_datetime(message.sent_at)
    mime["From"] = _address(message.sender)
    mime["To"] = _address(message.recipient)
    mime["Subject"] = message.subject
    # RFC 3834: nobody's out-of-office reply should come back.
    mime["Auto-Submitted"] = "auto-generated"
    for name, value in message.headers:
        mime[name] = value
    mime.set_content(message.text)
    if message.html is not None:
        mime.add_alternative(message.html, subtype="html")
    for attachment in message.attachments:
        main_type, _, subtype = attachment.media_type.partition("/")
        mime.add_attachment(
            attachment.content,
            maintype=main_type,
            subtype=subtype,
            filename=attachment.file_name,
        )
    return mime


def _address(address: MailAddress) -> Address:
    local_part, _, domain = address.email.rpartition("@")
    if not (local_part and domain):
        raise ValueError(f"{address.email!r} is not a mail address")
    return Address(display_name=address.name, addr_spec=address.email)
