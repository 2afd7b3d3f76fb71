"""Where does mail go on a machine without a mail server?"""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

from billwright.features.notifications.port import MailUnavailable, Message
from billwright.providers.mail import mime_of


class FolderMailer:
    """A `Mailer` that writes `<message id>.eml` into a folder, for development and demonstrations.

    A file appears whole or not at all; the same message delivered again changes nothing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def deliver(self, message: Message) -> None:
        content = mime_of(message).as_bytes()
        try:
            await asyncio.to_thread(_write_once, self._folder / f"{message.id}.eml", content)
        except OSError as error:
            raise MailUnavailable(f"cannot write into {self._folder}: {error}") from error


def _write_once(path: Path, content: bytes) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, part_name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    part = Path(part_name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
