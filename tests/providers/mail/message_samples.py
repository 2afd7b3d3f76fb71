"""Which mail do the mail tests send?"""

from __future__ import annotations

from datetime import UTC, datetime

from billwright.features.notifications.port import Attachment, MailAddress, Message
from billwright.kernel.ids import new_id


def sample_message() -> Message:
    return Message(
        id=new_id(),
        sender=MailAddress("billing@example.com", "Exämple, GmbH"),
        recipient=MailAddress("jane@example.org", "Jane Sample"),
        subject="Ihre Rechnung \u2013 5 €",
        text="Grüße\n.\nEnde\n",
        html="<p>Grüße</p>",
        sent_at=datetime(2026, 11, 22, 8, 30, tzinfo=UTC),
        attachments=(Attachment("Rechnung Ä.pdf", "application/pdf", b"%PDF-\x00\xff"),),
        headers=(("Reply-To", "help@example.com"),),
    )
