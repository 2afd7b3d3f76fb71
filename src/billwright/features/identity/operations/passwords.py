"""Is this the password?

Passwords are kept as Argon2id with the costs that OWASP recommends; what was taken over as bcrypt is
verified, and renewed as soon as the password is at hand. Hashing takes tens of milliseconds of a core,
which is its purpose: never inside a transaction, and in threads that leave a core to everything else.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import NamedTuple

from pwdlib.hashers.argon2 import Argon2Hasher
from pwdlib.hashers.bcrypt import BcryptHasher

from billwright.features.identity.rules.new_password import MOST_BYTES, password_bytes

_MEMORY_KIB, _PASSES, _LANES = 19 * 1024, 2, 1
_ARGON2 = Argon2Hasher(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=_LANES)
_BCRYPT = BcryptHasher()
# Bcrypt has never read more, and its library now refuses what is longer.
_BCRYPT_BYTES = 72
# Nobody's, at the same cost as everybody's.
_DUMMY = f"$argon2id$v=19$m={_MEMORY_KIB},t={_PASSES},p={_LANES}${'A' * 22}${'A' * 43}"
_NICENESS = 10
_CORES = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


class PasswordCheck(NamedTuple):
    """Whether a password is right; `rehashed` is a better form of it than the stored one, if any."""

    ok: bool
    rehashed: str | None


async def hash_password(text: str) -> str:
    """The form in which a new password is stored, after tens of milliseconds."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_THREADS, _ARGON2.hash, password_bytes(text))


async def password_is(text: str, *, stored: str | None) -> PasswordCheck:
    """Whether it is the stored password; with none stored, no after the same time."""
    password = password_bytes(text)
    if len(password) > MOST_BYTES:
        password, stored = password[:MOST_BYTES], None
    loop = asyncio.get_running_loop()
    checked = await loop.run_in_executor(_THREADS, _check, password, stored or _DUMMY)
    return checked if stored is not None else PasswordCheck(ok=False, rehashed=None)


def _check(password: bytes, stored: str) -> PasswordCheck:
    is_bcrypt = _BCRYPT.identify(stored)
    if is_bcrypt:
        ok = _BCRYPT.verify(password[:_BCRYPT_BYTES], stored)
    else:
        ok = _ARGON2.verify(password, stored)
    is_outdated = ok and (is_bcrypt or _ARGON2.check_needs_rehash(stored))
    return PasswordCheck(ok, _ARGON2.hash(password) if is_outdated else None)


def _step_back() -> None:
    """Let every other thread of this machine go first; only Linux has a priority for each."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


_THREADS = ThreadPoolExecutor(
    max_workers=max(1, _CORES - 1), thread_name_prefix="password", initializer=_step_back
)
