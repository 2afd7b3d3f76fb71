"""How does a fresh home get its database?

A cluster is created beside its final place and renamed when complete, so that a crash in between
leaves nothing that looks like data.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path

from billwright.runtime.db.embedded_account import EmbeddedPostgresError, ServerAccount

OWNER = "billwright"
SUPERUSER = "postgres"
APPLICATION_LOGIN = "billwright_service"


def password_in(folder: Path) -> str:
    """The password of the cluster's logins: generated once, readable by our own account only."""
    path = folder / "password"
    if not path.exists():
        partial = folder / "password.partial"
        partial.unlink(missing_ok=True)
        _write_private(partial, secrets.token_urlsafe(32))
        partial.rename(path)
    return path.read_text().strip()


def create_cluster(data: Path, *, binaries: Path, account: ServerAccount, password: str) -> None:
    """Create the cluster with a superuser and an ordinary owner of the database `billwright`.

    The owner may create databases and roles but is no superuser, as on a rented server, so that
    what works here works there.
    """
    for abandoned in data.parent.glob("creating-*"):
        shutil.rmtree(abandoned, ignore_errors=True)
    # A new name each time: an abandoned initdb that still runs clears its own folder when it fails.
    workplace = Path(tempfile.mkdtemp(prefix="creating-", dir=data.parent))
    partial = workplace / "data"
    password_file = workplace / "password"
    _write_private(password_file, password)
    partial.mkdir(mode=0o700)
    for path in (workplace, password_file, partial):
        account.own(path)
    _run(
        [
            binaries / "initdb",
            f"--pgdata={partial}",
            f"--username={SUPERUSER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--data-checksums",
            "--no-instructions",
        ],
        account=account,
        stdin="",
    )
    _run(
        [
            binaries / "postgres",
            "--single",
            "-D",
            partial,
            "-c",
            "exit_on_error=true",
            "-c",
            "password_encryption=scram-sha-256",
            "template1",
        ],
        account=account,
        stdin=(
            f"create role {OWNER} login createdb createrole password '{password}'\n"
            f"create database {OWNER} owner {OWNER}\n"
            # The application logs in as one who owns nothing and can be nobody else, so that no
            # statement, whoever wrote it, can step out of the role that sees one tenant.
            "create role billwright_app nologin\n"
            f"grant billwright_app to {OWNER} with admin option\n"
            f"create role {APPLICATION_LOGIN} login noinherit password '{password}'\n"
            f"grant billwright_app to {APPLICATION_LOGIN}\n"
        ),
    )
    partial.rename(data)
    shutil.rmtree(workplace)


def refuse_other_major(folder: Path, *, major: int) -> None:
    """Refuse a home whose data another major version wrote; `folder` holds one folder per major.

    Silently beginning an empty database beside the old one would look like lost data.
    """
    others = [path.parent.parent for path in folder.glob("*/data/PG_VERSION")]
    here = folder / str(major)
    if here in others:
        found = (here / "data" / "PG_VERSION").read_text().strip()
        if found == str(major):
            return
        others = [folder / found]
    if others:
        written = ", ".join(sorted(path.name for path in others))
        raise EmbeddedPostgresError(
            f"{folder} holds data of PostgreSQL {written}, but the programs here are PostgreSQL "
            f"{major}, which cannot read it. Set POSTGRES_BIN_DIR to a PostgreSQL {written}, or "
            "dump the data with the old programs and restore it into a new BILLWRIGHT_HOME."
        )


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(descriptor)


def _run(command: list[str | Path], *, account: ServerAccount, stdin: str) -> None:
    finished = subprocess.run(  # noqa: S603
        command,
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        **account.process_options(),
    )
    if finished.returncode != 0:
        raise EmbeddedPostgresError(
            f"The database could not be created: {command[0]} ended with {finished.returncode}.\n"
            f"{finished.stdout.strip()}"
        )
