"""Does this machine have what Billwright needs?"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from billwright.runtime.secrets import KEY_FILE_NAME, KeyUnusable, load_key
from billwright.runtime.settings import Settings
from billwright.surfaces.cli.findings import Finding, fine, problem, warning
from billwright.surfaces.cli.server_address import server_address

_GIBIBYTE = 1024**3
_TIGHT_BYTES = _GIBIBYTE
_FULL_BYTES = _GIBIBYTE // 10
_HEALTH_BEGINS = (b'{"status":"ok"', b'{"status":"degraded"')
_ANSWER_SECONDS = 5


def folder_findings(settings: Settings) -> Iterator[Finding]:
    """Whether the data folder can be written, and how much room its disk has."""
    home = settings.billwright_home
    existing = _nearest_existing(home)
    if not os.access(existing, os.W_OK | os.X_OK):
        yield problem(
            "data folder",
            text=f"{existing} cannot be written by this account",
            remedy="Give it to this account, or set BILLWRIGHT_HOME to a folder of its own.",
        )
    elif existing == home:
        yield fine("data folder", text=str(home))
    else:
        yield fine("data folder", text=f"{home} does not exist yet; it will be created")
    free = shutil.disk_usage(existing).free
    text = f"{free / _GIBIBYTE:.1f} GiB free"
    remedy = f"Make room on the disk of {existing}."
    if free < _FULL_BYTES:
        yield problem("disk", text=text, remedy=remedy)
    elif free < _TIGHT_BYTES:
        yield warning("disk", text=text, remedy=remedy)
    else:
        yield fine("disk", text=text)


def key_finding(settings: Settings) -> Finding:
    """Whether stored secrets can be read, and with which key."""
    path = settings.billwright_home / KEY_FILE_NAME
    if settings.encryption_key is None and not path.exists():
        return fine("encryption key", text=f"none yet; it will be generated in {path}")
    try:
        box = load_key(settings)
    except KeyUnusable as error:
        return problem(
            "encryption key",
            text=str(error),
            remedy="Restore the file from your backup, or set ENCRYPTION_KEY.",
        )
    source = "ENCRYPTION_KEY" if settings.encryption_key is not None else str(path)
    return fine("encryption key", text=f"fingerprint {box.fingerprint}, from {source}")


def address_findings(settings: Settings) -> Iterator[Finding]:
    """Whether the HTTP server's port is to be had, and whether people can reach the public URL."""
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
            yield fine("address", text=f"{settings.host}, port {settings.port} is free")
        except OSError as error:
            yield _occupied_finding(settings, reason=error.strerror or str(error))
    if settings.environment == "production" and not settings.public_url.startswith("https://"):
        yield warning(
            "public URL",
            text=f"{settings.public_url} is not encrypted",
            remedy="Set PUBLIC_URL to the https:// address of your reverse proxy.",
        )


def _occupied_finding(settings: Settings, *, reason: str) -> Finding:
    host, port = server_address(settings)
    connection = HTTPConnection(host, port, timeout=_ANSWER_SECONDS)
    try:
        connection.request("GET", "/api/health")
        answers = connection.getresponse().read().startswith(_HEALTH_BEGINS)
    except (OSError, HTTPException):
        answers = False
    finally:
        connection.close()
    place = f"{settings.host}, port {settings.port}"
    if answers:
        return fine("address", text=f"{place}: Billwright answers there")
    return problem(
        "address", text=f"{place}: {reason}", remedy="Stop what uses it, or set PORT and HOST."
    )


def mail_finding(settings: Settings) -> Finding:
    """Whether messages can leave; nothing is sent."""
    if settings.smtp_host is None:
        return _mail_folder_finding(settings)
    server = f"{settings.smtp_host}, port {settings.smtp_port}"
    remedy = "Check SMTP_HOST and SMTP_PORT, and that a firewall lets this machine through."
    try:
        with socket.create_connection(
            (settings.smtp_host, settings.smtp_port), timeout=_ANSWER_SECONDS
        ) as connection:
            # A server that is encrypted from the start says nothing before the handshake.
            greeting = b"220" if settings.smtp_tls == "implicit" else connection.recv(3)
    except OSError as error:
        return problem("mail", text=f"{server}: {error.strerror or error}", remedy=remedy)
    if greeting != b"220":
        return problem("mail", text=f"{server} does not answer as a mail server", remedy=remedy)
    return fine("mail", text=f"{server} answers")


def _mail_folder_finding(settings: Settings) -> Finding:
    existing = _nearest_existing(settings.mail_folder)
    if not os.access(existing, os.W_OK | os.X_OK):
        return problem(
            "mail",
            text=f"{existing} cannot be written by this account",
            remedy="Set SMTP_HOST to a mail server, or MAIL_FOLDER to a folder of this account.",
        )
    text = f"written to {settings.mail_folder}, since SMTP_HOST is not set"
    if settings.environment == "production":
        return warning("mail", text=text, remedy="Set SMTP_HOST, or customers get no mail.")
    return fine("mail", text=text)


def _nearest_existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())
