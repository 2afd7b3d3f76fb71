"""How is a secret kept at rest?

Sealed with AES-256-GCM under a key that is not in the database. A sealed value names its key, so that
keys can be changed while old values stay readable, and is bound to its context, so that it cannot be
moved to another row. What has to be found again is stored with a digest, which nobody can make, and so
try values on, without the key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from billwright.runtime.settings import KEY_BYTES, Settings, create_own_folder, decode_key

KEY_FILE_NAME = "encryption.key"
_VERSION = "v1"
_NONCE_BYTES = 12


class SecretUnreadable(Exception):  # noqa: N818 - an answer about the value
    """A sealed value was changed, moved to another context, or sealed with an unknown key."""


class KeyUnusable(Exception):  # noqa: N818 - an answer to the operator
    """The key file cannot be trusted or read; the text says what to do."""


class SecretBox:
    """Seals with one key; opens with that key and the retired ones."""

    def __init__(self, key: bytes, retired: Sequence[bytes] = ()) -> None:
        self._current = _fingerprint(key)
        self._ciphers = {_fingerprint(known): AESGCM(known) for known in (key, *retired)}
        self._digest_keys = [_derived(known, purpose="digest") for known in (key, *retired)]
        self._key = key

    @property
    def fingerprint(self) -> str:
        """Eight hexadecimal digits that tell keys apart and reveal nothing of them."""
        return self._current

    def seal(self, plain: bytes, *, context: str) -> str:
        """The sealed text, `v1.<key id>.<base64url>`; opens only with the same context.

        The context names the place of the value, such as table, column, tenant and row.
        """
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._ciphers[self._current].encrypt(nonce, plain, context.encode())
        return f"{_VERSION}.{self._current}.{_to_text(sealed)}"

    def open(self, sealed: str, *, context: str) -> bytes:
        """The plain bytes, exactly as sealed, or `SecretUnreadable`."""
        key_id, content = _split(sealed)
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise SecretUnreadable(
                f"sealed with key {key_id}, which is neither ENCRYPTION_KEY nor retired"
            )
        nonce, encrypted = content[:_NONCE_BYTES], content[_NONCE_BYTES:]
        try:
            return cipher.decrypt(nonce, encrypted, context.encode())
        except (InvalidTag, ValueError):
            raise SecretUnreadable("changed, or sealed for another context") from None

    def needs_resealing(self, sealed: str) -> bool:
        """Whether it was sealed with another key than the current one."""
        key_id, _ = _split(sealed)
        return key_id != self._current

    def digests(self, plain: bytes, *, context: str) -> list[bytes]:
        """What a value is found by: one digest for each known key, the current key's first.

        The first is to be stored; all of them are to be looked for. Equal values have equal digests in
        one context and different ones in another.
        """
        prefix = context.encode()
        message = len(prefix).to_bytes(8) + prefix + plain
        return [hmac.digest(key, message, "sha256") for key in self._digest_keys]

    def key_for(self, purpose: str) -> bytes:
        """A key of its own for a purpose: it follows from the current key and reveals nothing of it."""
        if purpose == "digest":
            raise ValueError("digests are made here")
        return _derived(self._key, purpose=purpose)


def load_key(settings: Settings) -> SecretBox:
    """The box for the configured keys; in development the key is generated once in the home.

    Refuses with `KeyUnusable` a key file that other accounts can read.
    """
    if settings.encryption_key is not None:
        key = decode_key(settings.encryption_key.get_secret_value())
    else:
        key = _key_in(settings.billwright_home)
    retired = [decode_key(text.get_secret_value()) for text in settings.encryption_keys_retired]
    return SecretBox(key, retired)


def _key_in(home: Path) -> bytes:
    path = home / KEY_FILE_NAME
    if not path.exists():
        create_own_folder(home)
        _write_once(path, base64.b64encode(os.urandom(KEY_BYTES)) + b"\n")
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as error:
        raise KeyUnusable(f"{path} cannot be read ({error.strerror})") from error
    with os.fdopen(descriptor, "rb") as file:
        if os.fstat(descriptor).st_mode & 0o077:
            raise KeyUnusable(f"{path} can be read by other accounts; run: chmod 600 {path}")
        content = file.read()
    try:
        return decode_key(content.decode("ascii"))
    except ValueError as error:
        raise KeyUnusable(f"{path} contains no key: {error}") from None


def _write_once(path: Path, content: bytes) -> None:
    """Create the file complete or not at all; of several processes at once, the first one wins."""
    partial = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    try:
        path.hardlink_to(partial)
    except FileExistsError:
        pass
    finally:
        partial.unlink()


def _fingerprint(key: bytes) -> str:
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key has {KEY_BYTES} bytes, not {len(key)}")
    return hashlib.sha256(b"billwright key id" + key).hexdigest()[:8]


def _derived(key: bytes, *, purpose: str) -> bytes:
    """A key of its own: one key serves one purpose."""
    return hmac.digest(key, f"billwright {purpose} key".encode(), "sha256")


def _split(sealed: str) -> tuple[str, bytes]:
    version, _, rest = sealed.partition(".")
    key_id, _, text = rest.partition(".")
    if version != _VERSION:
        raise SecretUnreadable("not a sealed value of a known version")
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        content = b""
    if not content or _to_text(content) != text:  # one value has one spelling
        raise SecretUnreadable("not a sealed value")
    return key_id, content


def _to_text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")
