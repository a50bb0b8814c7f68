"""Fingerprints: stable, salted, in the promised form; the cache; and the salt."""

from __future__ import annotations

import base64
import os
import pickle
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyward.errors import ConfigError
from keyward.match.fingerprint import (
    FingerprintCache,
    Fingerprinter,
    from_base32,
    is_fingerprint,
    is_guessable,
    load_salt,
    to_base32,
)  # fmt: skip
from keyward.plugin.shapes import an

SALT = bytes(range(32))
PASSWORD = b"correct horse battery staple"
TOKEN = an(40).sample(1).text


@given(st.binary(max_size=80))
def test_base32_is_the_standard_one(data: bytes) -> None:
    text = to_base32(data)
    assert text == base64.b32encode(data).decode().rstrip("=").lower()
    assert from_base32(text) == data


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz234567", max_size=60))
def test_base32_is_read_back_or_refused(text: str) -> None:
    try:
        data = from_base32(text)
    except ValueError:
        return
    assert to_base32(data) == text


def test_the_fingerprints_never_change() -> None:
    assert not is_guessable(TOKEN) and is_guessable(PASSWORD)
    make = Fingerprinter(SALT, None)
    assert make.of(PASSWORD) == "kw1_xfeodds6w32o2uu65tgfq5vgcu"
    assert make.of(TOKEN) == "kw1_yjcneqqlgn74smj6v62rplyg2a"
    assert make.of(b"") == "kw1_3ts4lfc5o2wbucezdcsrksaqeq"


@given(st.binary(max_size=60), st.binary(min_size=16, max_size=64))
def test_form_and_dependence_on_salt(value: bytes, salt: bytes) -> None:
    fingerprint = Fingerprinter(salt, None).of(value)
    assert is_fingerprint(fingerprint) and len(fingerprint) == 30
    assert fingerprint == Fingerprinter(salt, None).of(value)
    assert fingerprint != Fingerprinter(salt + b"\x01" if len(salt) < 64 else b"\x01" * 64, None).of(value)


@pytest.mark.parametrize("salt", [b"", b"x" * 15, b"x" * 65])
def test_a_salt_of_the_wrong_size_is_refused(salt: bytes) -> None:
    with pytest.raises(ValueError, match="16 to 64"):
        Fingerprinter(salt, None)


@pytest.mark.parametrize("text", ["", "kw1_", "kw2_" + "a" * 26, "kw1_" + "a" * 25, "kw1_" + "A" * 26, "kw1_" + "1" * 26])
def test_what_is_no_fingerprint(text: str) -> None:
    assert not is_fingerprint(text)


def passwords(count: int) -> list[bytes]:
    return [b"Summer-%d-Winter" % number for number in range(count)]


def run(folder: Path, values: list[bytes], salt: bytes = SALT) -> tuple[list[str], dict[bytes, bytes]]:
    """What a process does: fingerprints with the cache as it is, and what it learned."""
    cache = FingerprintCache(str(folder))
    make = Fingerprinter(salt, cache)
    return [make.of(value) for value in values], cache.take()


def save(folder: Path, learned: dict[bytes, bytes], entries: int = 50_000) -> bool:
    cache = FingerprintCache(str(folder), entries=entries)
    cache.merge(learned)
    return cache.save()


def test_the_cache_answers_the_same_and_is_fast(tmp_path: Path) -> None:
    values = passwords(200)
    fresh, learned = run(tmp_path, values)
    assert save(tmp_path, learned)
    start = time.process_time()
    again, nothing = run(tmp_path, values)
    assert time.process_time() - start < 0.2  # 200 times scrypt take 0.8 s
    assert again == fresh and not nothing
    assert fresh[:3] == [Fingerprinter(SALT, None).of(value) for value in values[:3]]


def test_a_value_that_comes_again_is_computed_once(tmp_path: Path) -> None:
    fresh, learned = run(tmp_path, [PASSWORD, PASSWORD, PASSWORD])
    assert len(set(fresh)) == 1 and [to_base32(digest) for digest in learned.values()] == [fresh[0][4:]]


def test_what_was_learned_is_handed_out_once(tmp_path: Path) -> None:
    cache = FingerprintCache(str(tmp_path))
    Fingerprinter(SALT, cache).of(PASSWORD)
    assert cache.take() and not cache.take()


def test_random_values_and_other_salts_do_not_meet_in_the_cache(tmp_path: Path) -> None:
    assert not run(tmp_path, [TOKEN])[1]
    one, learned = run(tmp_path, [PASSWORD])
    save(tmp_path, learned)
    other, learned = run(tmp_path, [PASSWORD], SALT[::-1])
    assert one != other and len(learned) == 1


@pytest.mark.skipif(os.name == "nt", reason="permission bits")
def test_the_files_are_private_and_do_not_hold_the_value(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "folder"
    save(folder, run(folder, [PASSWORD])[1])
    assert sorted(path.name for path in folder.iterdir()) == ["fingerprints", "fingerprints.key"]
    for path in folder.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
        assert PASSWORD not in path.read_bytes()


def test_nothing_is_written_where_nothing_is_guessable(tmp_path: Path) -> None:
    assert save(tmp_path / "cache", run(tmp_path / "cache", [TOKEN])[1])
    assert not (tmp_path / "cache").exists()


def test_workers_hand_their_entries_to_the_parent(tmp_path: Path) -> None:
    learned: dict[bytes, bytes] = {}
    for worker_values in (passwords(3), passwords(5)[2:]):
        learned.update(pickle.loads(pickle.dumps(run(tmp_path, worker_values)[1])))
    assert save(tmp_path, learned)
    assert not run(tmp_path, passwords(5))[1]


def test_saving_keeps_what_others_saved_meanwhile(tmp_path: Path) -> None:
    one, two = run(tmp_path, [b"first"])[1], run(tmp_path, [b"second"])[1]
    assert save(tmp_path, one) and save(tmp_path, two)
    assert not run(tmp_path, [b"first", b"second"])[1]


def test_the_cache_is_bounded_and_forgets_the_oldest(tmp_path: Path) -> None:
    for batch in range(3):
        save(tmp_path, {bytes([batch, number]) * 8: bytes(16) for number in range(6)}, entries=10)
    size = (tmp_path / "fingerprints").stat().st_size
    assert size == len(FingerprintCache.MAGIC) + 10 * 32 + 32
    last = FingerprintCache(str(tmp_path), entries=10)
    assert last.get(bytes([2, 5]) * 8) and not last.get(bytes([0, 0]) * 8)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:-1],
        lambda content: content[:40] + bytes([content[40] ^ 1]) + content[41:],
        lambda content: content + b"\0" * 32,
        lambda content: b"something else entirely, of some length or other, at least as long as a seal\n",
    ],
)
def test_a_damaged_file_is_ignored_and_replaced(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    wanted, learned = run(tmp_path, [PASSWORD])
    save(tmp_path, learned)
    path = tmp_path / "fingerprints"
    path.write_bytes(damage(path.read_bytes()))
    again, learned = run(tmp_path, [PASSWORD])
    assert again == wanted and learned
    assert save(tmp_path, learned)
    assert not run(tmp_path, [PASSWORD])[1]


@pytest.mark.skipif(os.name == "nt", reason="permission bits")
@pytest.mark.parametrize("name", ["fingerprints", "fingerprints.key"])
def test_a_file_that_others_may_write_is_ignored(tmp_path: Path, name: str) -> None:
    save(tmp_path, run(tmp_path, [PASSWORD])[1])
    (tmp_path / name).chmod(0o666)
    assert run(tmp_path, [PASSWORD])[1]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="needs root to give a file away")
def test_somebody_elses_file_is_ignored(tmp_path: Path) -> None:
    save(tmp_path, run(tmp_path, [PASSWORD])[1])
    os.chown(tmp_path / "fingerprints", 12345, 12345)
    assert run(tmp_path, [PASSWORD])[1]


@pytest.mark.skipif(os.name == "nt", reason="links")
def test_a_link_is_ignored(tmp_path: Path) -> None:
    save(tmp_path / "a", run(tmp_path / "a", [PASSWORD])[1])
    (tmp_path / "b").mkdir()
    for name in ("fingerprints", "fingerprints.key"):
        (tmp_path / "b" / name).symlink_to(tmp_path / "a" / name)
    assert run(tmp_path / "b", [PASSWORD])[1]


def test_without_a_folder_it_still_works(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    fresh, learned = run(blocked / "below", [PASSWORD, PASSWORD])
    assert fresh == [Fingerprinter(SALT, None).of(PASSWORD)] * 2
    assert not learned
    assert not save(blocked / "below", {bytes(16): bytes(16)})


def test_salt_comes_from_the_baseline_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYWARD_STATE", str(tmp_path / "state"))
    assert load_salt(SALT) == (SALT, "baseline", "")
    assert not (tmp_path / "state").exists()


def test_the_operators_salt_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYWARD_STATE", str(tmp_path / "state"))
    first = load_salt()
    assert first.origin == "operator" and len(first.value) == 32 and not first.note
    assert load_salt() == first
    path = tmp_path / "state" / "salt"
    assert path.stat().st_mode & 0o777 == 0o600
    assert from_base32(path.read_text().strip()) == first.value
    assert [p.name for p in path.parent.iterdir()] == ["salt"]


@pytest.mark.parametrize("what", ["load_salt().value", "FingerprintCache().tag(bytes(32), b'x')"])
def test_processes_that_start_together_agree_on_salt_and_key(tmp_path: Path, what: str) -> None:
    code = f"""
        import os, sys, time
        from keyward.match.fingerprint import FingerprintCache, load_salt
        for attempt in range(30):
            os.environ["KEYWARD_STATE"] = os.path.join(sys.argv[1], f"state{{attempt}}")
            os.environ["KEYWARD_CACHE"] = os.path.join(sys.argv[1], f"cache{{attempt}}")
            time.sleep(max(0, float(sys.argv[2]) + attempt * 0.02 - time.time()))
            print({what}.hex())
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)]
    running = [
        subprocess.Popen([*command, str(time.time() + 1)], stdout=subprocess.PIPE) for _ in range(4)
    ]
    told = [process.communicate()[0].splitlines() for process in running]
    assert [len(set(each)) for each in zip(*told, strict=True)] == [1] * 30


def test_without_a_state_folder_the_salt_is_for_this_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("KEYWARD_STATE", str(tmp_path / "file" / "state"))
    one, two = load_salt(), load_salt()
    assert one.origin == "run" and one.value != two.value and "this run only" in one.note


def test_a_damaged_salt_is_an_error_and_never_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYWARD_STATE", str(tmp_path))
    (tmp_path / "salt").write_text("oops\n")
    (tmp_path / "salt").chmod(0o600)
    with pytest.raises(ConfigError) as caught:
        load_salt()
    assert "salt:1:" in str(caught.value) and "delete it" in caught.value.hint
    assert (tmp_path / "salt").read_text() == "oops\n"


def test_it_imports_little() -> None:
    code = (
        "import sys; before = set(sys.modules); import keyward.match.fingerprint\n"
        "print(sorted(m for m in set(sys.modules) - before if not m.startswith(('keyward', '_'))))"
    )
    loaded = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True).stdout
    heavy = {"hmac", "json", "base64", "struct", "pathlib", "secrets", "dataclasses", "subprocess", "hyperscan"}
    assert not heavy & set(eval(loaded)), loaded
