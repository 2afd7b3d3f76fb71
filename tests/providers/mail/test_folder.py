"""Does each mail become one whole file?"""

from __future__ import annotations

import asyncio
import email
from dataclasses import replace
from email.policy import default

import pytest

from billwright.features.notifications.port import MailAddress, MailRejected, MailUnavailable
from billwright.providers.mail.folder import FolderMailer
from tests.providers.mail.message_samples import sample_message


def test_a_mail_becomes_a_file_that_can_be_read_back(tmp_path):
    message = sample_message()
    asyncio.run(FolderMailer(tmp_path / "outbox").deliver(message))
    (path,) = (tmp_path / "outbox").iterdir()
    assert path.name == f"{message.id}.eml"
    mail = email.message_from_bytes(path.read_bytes(), policy=default)
    assert mail["Message-ID"] == f"<{message.id}@example.com>"
    assert mail["Date"].datetime == message.sent_at
    assert str(mail["From"]) == '"Exämple, GmbH" <billing@example.com>'
    assert str(mail["To"]) == "Jane Sample <jane@example.org>"
    assert mail["Subject"] == message.subject
    assert mail["Reply-To"] == "help@example.com"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_body(("plain",)).get_content().replace("\r\n", "\n") == message.text
    assert mail.get_body(("html",)).get_content().strip() == message.html
    (attachment,) = mail.iter_attachments()
    assert attachment.get_filename() == "Rechnung Ä.pdf"
    assert attachment.get_content_type() == "application/pdf"
    assert attachment.get_content() == b"%PDF-\x00\xff"


def test_the_same_message_again_changes_nothing(tmp_path):
    message = sample_message()
    mailer = FolderMailer(tmp_path)
    asyncio.run(mailer.deliver(message))
    (path,) = tmp_path.iterdir()
    before = path.read_bytes()
    asyncio.run(mailer.deliver(replace(message, subject="another")))
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == before


def test_many_at_once_leave_one_file_each_and_no_parts(tmp_path):
    messages = [sample_message() for _ in range(5)]

    async def deliver_all() -> None:
        mailer = FolderMailer(tmp_path)
        await asyncio.gather(*(mailer.deliver(message) for message in messages * 3))

    asyncio.run(deliver_all())
    assert {path.name for path in tmp_path.iterdir()} == {f"{m.id}.eml" for m in messages}


def test_a_folder_that_cannot_be_written_is_unavailable(tmp_path):
    occupied = tmp_path / "file"
    occupied.write_text("not a folder")
    with pytest.raises(MailUnavailable):
        asyncio.run(FolderMailer(occupied).deliver(sample_message()))


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "a\nBcc: everyone@example.com"},
        {"recipient": MailAddress("jane@example.org\nBcc: everyone@example.com")},
        {"recipient": MailAddress("nobody")},
        {"recipient": MailAddress("")},
        {"sender": MailAddress("billing@example.com", "a\nb")},
        {"headers": (("Reply-To", "a@example.com\nBcc: b@example.com"),)},
    ],
)
def test_what_cannot_be_written_as_a_mail_is_rejected(tmp_path, change):
    with pytest.raises(MailRejected):
        asyncio.run(FolderMailer(tmp_path).deliver(replace(sample_message(), **change)))
    assert list(tmp_path.iterdir()) == []
