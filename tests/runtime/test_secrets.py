"""Does a sealed secret open for its own key and context alone?"""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from billwright.runtime.secrets import KeyUnusable, SecretBox, SecretUnreadable, load_key
from billwright.runtime.settings import load_settings

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
SYMBOLS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+ é"


@given(plain=st.binary(max_size=200), context=st.text(max_size=50), key=st.binary(min_size=32))
def test_what_was_sealed_opens_unchanged(plain: bytes, context: str, key: bytes):
    box = SecretBox(key[:32])
    sealed = box.seal(plain, context=context)
    assert box.open(sealed, context=context) == plain
    assert sealed.startswith(f"v1.{box.fingerprint}.")
    assert sealed != box.seal(plain, context=context)


@given(first=st.text(max_size=20), second=st.text(max_size=20))
def test_a_value_cannot_be_moved_to_another_context(first: str, second: str):
    assume(first != second)
    box = SecretBox(KEY)
    with pytest.raises(SecretUnreadable):
        box.open(box.seal(b"secret", context=first), context=second)


@given(plain=st.binary(max_size=40), data=st.data())
def test_any_change_of_the_text_is_noticed(plain: bytes, data: st.DataObject):
    box = SecretBox(KEY, [OTHER])
    sealed = box.seal(plain, context="row")
    position = data.draw(st.integers(0, len(sealed) - 1))
    symbol = data.draw(st.sampled_from([*SYMBOLS, ""]))
    changed = sealed[:position] + symbol + sealed[position + 1 :]
    assume(changed != sealed)
    with pytest.raises(SecretUnreadable):
        box.open(changed, context="row")


@given(text=st.text(max_size=60))
def test_any_other_text_is_refused(text: str):
    with pytest.raises(SecretUnreadable):
        SecretBox(KEY).open(text, context="row")


def test_a_retired_key_still_opens_and_asks_to_be_resealed():
    old, new = SecretBox(KEY), SecretBox(OTHER, [KEY])
    sealed = old.seal(b"secret", context="row")
    assert new.open(sealed, context="row") == b"secret"
    assert new.needs_resealing(sealed)
    assert not old.needs_resealing(sealed)
    resealed = new.seal(new.open(sealed, context="row"), context="row")
    assert not new.needs_resealing(resealed)
    with pytest.raises(SecretUnreadable, match=new.fingerprint):
        old.open(resealed, context="row")


@given(
    first=st.tuples(st.binary(max_size=20), st.text(max_size=10)),
    second=st.tuples(st.binary(max_size=20), st.text(max_size=10)),
)
def test_digests_are_equal_for_one_value_in_one_context_only(
    first: tuple[bytes, str], second: tuple[bytes, str]
):
    (plain, context), (other_plain, other_context) = first, second
    box = SecretBox(KEY)
    digests = box.digests(plain, context=context)
    assert (digests == box.digests(other_plain, context=other_context)) == (first == second)
    assert [len(digest) for digest in digests] == [32]


def test_a_digest_cannot_be_moved_between_value_and_context():
    box = SecretBox(KEY)
    assert box.digests(b"bc", context="a") != box.digests(b"c", context="ab")


def test_what_was_digested_with_a_retired_key_is_still_found():
    stored = SecretBox(KEY).digests(b"value", context="c")[0]
    rotated = SecretBox(OTHER, [KEY]).digests(b"value", context="c")
    assert rotated == [SecretBox(OTHER).digests(b"value", context="c")[0], stored]
    assert stored not in SecretBox(OTHER).digests(b"value", context="c")


def test_the_fingerprint_tells_keys_apart():
    assert SecretBox(KEY).fingerprint != SecretBox(OTHER).fingerprint
    assert SecretBox(KEY).fingerprint == SecretBox(KEY, [OTHER]).fingerprint
    with pytest.raises(ValueError, match="32 bytes"):
        SecretBox(b"short")


def test_development_generates_one_key_and_keeps_it_private(tmp_path: Path):
    settings = load_settings({"BILLWRIGHT_HOME": str(tmp_path / "home")})
    box = load_key(settings)
    path = tmp_path / "home" / "encryption.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_key(settings).fingerprint == box.fingerprint
    assert [entry.name for entry in path.parent.iterdir()] == ["encryption.key"]


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o660])
def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path, mode: int):
    settings = load_settings({"BILLWRIGHT_HOME": str(tmp_path)})
    load_key(settings)
    (tmp_path / "encryption.key").chmod(mode)
    with pytest.raises(KeyUnusable, match="chmod 600"):
        load_key(settings)


def test_a_key_file_that_is_a_link_or_no_key_is_refused(tmp_path: Path):
    settings = load_settings({"BILLWRIGHT_HOME": str(tmp_path)})
    path = tmp_path / "encryption.key"
    path.write_text("not a key")
    path.chmod(0o600)
    with pytest.raises(KeyUnusable, match="no key") as refusal:
        load_key(settings)
    assert "not a key" not in str(refusal.value)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeyUnusable, match="cannot be read"):
        load_key(settings)


def test_configured_keys_come_before_the_file(tmp_path: Path):
    current, retired = (base64.b64encode(os.urandom(32)).decode() for _ in range(2))
    settings = load_settings(
        {
            "BILLWRIGHT_HOME": str(tmp_path),
            "ENCRYPTION_KEY": current,
            "ENCRYPTION_KEYS_RETIRED": f"{retired}, {base64.b64encode(OTHER).decode()}",
        }
    )
    box = load_key(settings)
    assert box.fingerprint == SecretBox(base64.b64decode(current)).fingerprint
    assert box.open(SecretBox(OTHER).seal(b"old", context="c"), context="c") == b"old"
    assert list(tmp_path.iterdir()) == []


def test_a_key_for_a_purpose_is_for_nothing_else():
    box, retired = SecretBox(KEY), SecretBox(OTHER, [KEY])
    keys = {box.key_for("one"), box.key_for("other"), retired.key_for("one"), KEY, OTHER}
    assert len(keys) == 5
    assert box.key_for("one") == SecretBox(KEY).key_for("one")
    with pytest.raises(ValueError, match="digests"):
        box.key_for("digest")
