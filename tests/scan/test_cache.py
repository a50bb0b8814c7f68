"""The result cache: it remembers what was clean, and believes nothing that is not its own."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests_support import token

from keyward.flows.project import open_project
from keyward.flows.scan import ScanOptions, scan
from keyward.formats.opened import Limits
from keyward.match.catalogue import Catalogue
from keyward.model.finding import Outcome
from keyward.scan.cache import (
    CleanResults,
    Record,
    file_entry,
    naming_digest,
    object_entry,
    results_digest,
    settled,
)
from keyward.scan.interop import DetectSecretsBaseline
from keyward.scan.known_files import KnownFiles
from keyward.scan.recipe import Recipe, RuleFile

Git = Any  # see conftest

DIGEST = b"d" * 32


def entries(*numbers: int) -> list[bytes]:
    return [number.to_bytes(16, "big") for number in numbers]


def stored(folder: Path) -> CleanResults:
    return CleanResults(DIGEST, str(folder))


# --- the set of what was clean


def test_what_was_added_is_known_to_the_next_run(tmp_path: Path) -> None:
    results = stored(tmp_path)
    one, two = entries(1, 2)
    assert one not in results
    results.add([one])
    assert results.save()
    again = stored(tmp_path)
    assert one in again
    assert two not in again
    assert CleanResults(b"e" * 32, str(tmp_path)).__contains__(one) is False  # under other rules


def test_it_is_private_and_no_temporary_file_stays(tmp_path: Path) -> None:
    results = stored(tmp_path / "cache")
    results.add(entries(1))
    assert results.save()
    (file,) = (tmp_path / "cache").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_it_is_bounded_and_the_newest_stay(tmp_path: Path) -> None:
    results = CleanResults(DIGEST, str(tmp_path), most=3)
    results.add(entries(1, 2, 3))
    results.save()
    results.add(entries(4, 5))
    results.save()
    again = CleanResults(DIGEST, str(tmp_path), most=3)
    assert [entry in again for entry in entries(1, 2, 3, 4, 5)] == [False, False, True, True, True]


def test_the_files_of_old_rules_are_deleted(tmp_path: Path) -> None:
    for number in range(8):
        results = CleanResults(bytes([number]) * 32, str(tmp_path))
        results.add(entries(number))
        results.save()
        os.utime(results._path, (number, number))
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize("damage", ["cut", "byte", "empty", "longer", "others", "link", "folder", "huge"])
def test_a_file_that_is_not_as_it_was_written_is_ignored(tmp_path: Path, damage: str) -> None:
    results = stored(tmp_path)
    results.add(entries(1, 2))
    results.save()
    (file,) = tmp_path.iterdir()
    content = file.read_bytes()
    if damage == "cut":
        file.write_bytes(content[:-1])
    elif damage == "byte":
        file.write_bytes(content[:30] + bytes([content[30] ^ 1]) + content[31:])
    elif damage == "empty":
        file.write_bytes(b"")
    elif damage == "longer":
        file.write_bytes(content + b"x" * 16)
    elif damage == "others":
        file.chmod(0o622)
    elif damage == "link":
        file.rename(tmp_path / "elsewhere")
        file.symlink_to(tmp_path / "elsewhere")
    elif damage == "folder":
        file.unlink()
        file.mkdir()
    elif damage == "huge":
        os.truncate(file, 1 << 40)
    again = stored(tmp_path)
    assert len(again) == 0
    again.add(entries(3))
    assert again.save() is (damage != "folder")
    assert (entries(3)[0] in stored(tmp_path)) is (damage != "folder")


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    results = CleanResults(DIGEST, str(tmp_path / "file" / "cache"))
    results.add(entries(1))
    assert not results.save()
    assert not Record(DIGEST, "x", folder=str(tmp_path / "file" / "cache")).write((1,))


def _add(folder: str, number: int) -> None:
    results = CleanResults(DIGEST, folder)
    results.add(entries(*range(number * 100, number * 100 + 100)))
    assert results.save()


def test_processes_that_save_at_once_leave_a_whole_file(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4) as pool:
        list(pool.map(_add, [str(tmp_path)] * 8, range(8)))
    again = stored(tmp_path)
    assert len(again) >= 100  # one of them was last; what others lost in between is looked at again
    assert len(again) % 100 == 0
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".tmp")] == []


def test_loading_many_entries_is_fast(tmp_path: Path) -> None:
    results = stored(tmp_path)
    results.add(os.urandom(16) for _ in range(100_000))
    results.save()
    durations = []
    for _ in range(5):
        again = stored(tmp_path)
        started = time.process_time()
        assert len(again) == 100_000
        durations.append(time.process_time() - started)
    assert min(durations) < 0.1  # 15 ms where nothing else runs


# --- what an entry depends on


def test_an_entry_of_a_file_changes_with_all_that_can_change_its_result(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"1")
    first = file_entry(DIGEST, "a", path.stat())
    assert file_entry(DIGEST, "a", path.stat()) == first
    assert file_entry(b"e" * 32, "a", path.stat()) != first
    assert file_entry(DIGEST, "tests/a", path.stat()) != first
    assert file_entry(DIGEST, "a", path.stat(), [None]) != first
    assert file_entry(DIGEST, "a", path.stat(), [path.stat()]) != file_entry(DIGEST, "a", path.stat(), [None])
    status = path.stat()
    time.sleep(0.02)  # a tick of the file system's clock: the change time cannot be set
    path.write_bytes(b"2")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert file_entry(DIGEST, "a", path.stat()) != first
    path.unlink()
    path.write_bytes(b"1")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert file_entry(DIGEST, "a", path.stat()) != first


def test_an_entry_of_an_object_changes_with_its_paths() -> None:
    first = object_entry(DIGEST, "1" * 40, ("a", "b"))
    assert len({first, object_entry(DIGEST, "2" * 40, ("a", "b")), object_entry(DIGEST, "1" * 40, ("a",))}) == 3
    assert object_entry(DIGEST, "1" * 40, ("a\udcff",)) != first


def test_a_file_that_was_just_changed_is_not_settled(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.touch()
    now = path.stat().st_ctime
    assert not settled(path.stat(), now + 1.9)
    assert settled(path.stat(), now + 2.1)
    os.utime(path, (now + 1000, now + 1000))
    assert not settled(path.stat(), now + 500)


def test_the_digest_changes_with_rules_and_limits(tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text("x = 1\n")
    recipe = Recipe(Catalogue((), b"", "rules", False), b"s" * 32)
    digests = {
        results_digest(recipe),
        results_digest(recipe, "limits"),
        results_digest(recipe._replace(catalogue=recipe.catalogue._replace(digest="others"))),
        results_digest(recipe._replace(limits=Limits(depth=1))),
        results_digest(recipe._replace(disabled=("x",))),
        results_digest(recipe._replace(rule_files=(RuleFile(str(rules)),))),
        results_digest(recipe._replace(rule_files=(RuleFile(str(rules), text="x = 2\n"),))),
    }
    assert len(digests) == 7
    named = {
        naming_digest(recipe),
        naming_digest(recipe._replace(salt=b"t" * 32)),
        naming_digest(recipe._replace(detect_secrets=DetectSecretsBaseline({"a": {"1": None}}))),
    }
    assert len(named) == 3
    before = results_digest(recipe._replace(rule_files=(RuleFile(str(rules)),)))
    rules.write_text("x = 12\n")
    assert results_digest(recipe._replace(rule_files=(RuleFile(str(rules)),))) != before
    assert results_digest(recipe) == results_digest(recipe._replace(root="/elsewhere"))
    assert results_digest(recipe) == results_digest(recipe._replace(salt=b"t" * 32))  # clean is clean under every salt


# --- a repository's second run


@pytest.fixture
def history(
    environment: None, repo: Git, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, rules_cache: Path
) -> Callable[..., Outcome]:
    """Scans the history of the current folder with a cache of its own that has nothing but the rules."""
    cache = tmp_path / "own-cache"
    cache.mkdir()
    for name in os.listdir(rules_cache):
        if name.startswith("rules-"):
            os.link(rules_cache / name, cache / name)
    monkeypatch.setenv("KEYWARD_CACHE", str(cache))
    monkeypatch.chdir(repo.root)
    return lambda **options: scan(ScanOptions(history=True, **options))


def leak(seed: int) -> bytes:
    return b"GH=" + token(seed) + b"\n"


def places(outcome: Outcome) -> set[tuple[str, int, str, str]]:
    return {
        (o.locator.path, o.line, o.provenance.commit, finding.fingerprint)
        for finding in outcome.findings
        for o in finding.occurrences
    }


def known(outcome: Outcome) -> int:
    (note,) = [note for note in outcome.notes if "known from an earlier run" in note] or ["0"]
    return int(note.split()[0].replace(",", ""))


@pytest.fixture
def filled(repo: Git) -> Git:
    for number in range(5):
        repo.commit(**{f"clean{number}": b"%d\n" % number})
    repo.commit("message " + leak(1).decode(), **{"a.env": leak(2), "vendor/x": b"1\n"})
    (repo.root / ".git/COMMIT_EDITMSG").unlink()
    repo("reflog", "expire", "--expire=now", "--all")
    return repo


def test_the_second_run_says_the_same(history: Callable[..., Outcome], filled: Git) -> None:
    first, second, without = history(), history(), history(cache=False)
    assert places(first) == places(second) == places(without)
    assert len(places(first)) == 2
    assert (known(first), known(second), known(without)) == (0, 12, 0)  # six files and their commits; vendor/x is one of them
    assert first.stats[:2] == second.stats[:2] == without.stats[:2]
    assert first.excluded == second.excluded
    assert first.findings == second.findings == without.findings


def test_what_was_found_is_not_looked_at_again(history: Callable[..., Outcome], filled: Git) -> None:
    first = history()
    blob = filled("rev-parse", "HEAD:a.env").strip()
    (filled.root / ".git/objects" / blob[:2] / blob[2:]).chmod(0o600)
    (filled.root / ".git/objects" / blob[:2] / blob[2:]).write_bytes(b"damaged")
    assert history().findings == first.findings
    assert history().complete
    assert not history(cache=False).complete


def test_under_another_salt_what_was_found_has_other_names(
    history: Callable[..., Outcome], filled: Git, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    names = {finding.fingerprint for finding in history().findings}
    monkeypatch.setenv("KEYWARD_STATE", str(tmp_path / "another"))
    other = history()
    assert {finding.fingerprint for finding in other.findings}.isdisjoint(names)
    assert len(other.findings) == len(names)
    assert known(other) == 10  # what was clean is clean under every salt
    assert known(history()) == 12


def test_content_in_lfs_is_looked_at_again(history: Callable[..., Outcome], filled: Git) -> None:
    oid = hashlib.sha256(leak(6)).hexdigest()
    filled.commit(**{"large.bin": b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 44\n" % oid.encode()})
    assert not history().complete
    place = filled.root / ".git/lfs/objects" / oid[:2] / oid[2:4]
    place.mkdir(parents=True)
    (place / oid).write_bytes(leak(6))
    found = history()
    assert (len(found.findings), found.complete) == (3, True)
    assert history().findings == found.findings
    (place / oid).unlink()
    assert not history().complete
    assert len(history().findings) == 2


def test_what_came_later_is_found_and_told_of_its_commit(history: Callable[..., Outcome], filled: Git) -> None:
    before = history()
    new = filled.commit(**{"b.env": leak(3)})
    after = history()
    assert {place[:3] for place in places(after) - places(before)} == {("b.env", 1, new)}
    assert places(before) <= places(after)
    assert places(history()) == places(after)


def test_what_is_gone_is_no_longer_told(history: Callable[..., Outcome], filled: Git) -> None:
    filled("checkout", "-q", "-b", "side")
    filled.commit(**{"side.env": leak(4)})
    filled("checkout", "-q", "main")
    assert "side.env" in {place[0] for place in places(history())}
    filled("branch", "-q", "-D", "side")
    filled("reflog", "expire", "--expire=now", "--all")
    (filled.root / ".git/ORIG_HEAD").unlink(missing_ok=True)
    gone = history()
    assert "side.env" not in {place[0] for place in places(gone)}
    assert known(gone) > 0  # each object is still known to be clean


def test_other_exclusions_are_another_scan(history: Callable[..., Outcome], filled: Git) -> None:
    history()
    assert {e.path for e in history(exclude=("vendor/", "a.env")).excluded} == {"vendor/x", "a.env"}
    again = history(exclude=("vendor/", "a.env"))
    assert {e.path for e in again.excluded} == {"vendor/x", "a.env"}
    assert len(places(again)) == 1
    assert len(places(history())) == 2


def test_a_range_knows_what_the_whole_scan_saw(history: Callable[..., Outcome], filled: Git) -> None:
    history()
    part = history(commits="main~2..main~1")
    assert known(part) == 2
    assert places(part) == set()


def test_a_deepened_clone_is_walked_again(
    history: Callable[..., Outcome], filled: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled("rm", "-q", "a.env")
    filled.commit("gone")
    filled("clone", "-q", "--depth", "1", "--no-local", str(filled.root), str(tmp_path / "clone"))
    monkeypatch.chdir(tmp_path / "clone")
    for _ in range(2):
        shallow = history()
        assert not places(shallow)
        assert not shallow.complete
    filled("-C", str(tmp_path / "clone"), "fetch", "-q", "--unshallow")
    whole = history()
    assert whole.complete
    assert "a.env" in {place[0] for place in places(whole)}


def test_nothing_in_the_cache_says_more_of_a_secret_than_a_report(
    history: Callable[..., Outcome], filled: Git, tmp_path: Path
) -> None:
    outcome = history()
    fingerprints = {finding.fingerprint for finding in outcome.findings}
    kept = {file.name: file.read_bytes() for file in (tmp_path / "own-cache").iterdir() if not file.name.startswith("rules-")}
    assert {name.partition("-")[0] for name in kept} >= {"clean", "history"}
    for name, content in kept.items():
        for seed in (1, 2):
            value = token(seed)[4:]
            assert not any(value[at : at + 4] in content for at in range(len(value) - 3))
        if not name.startswith(("history-", "fingerprints")):
            assert not any(fingerprint.encode() in content for fingerprint in fingerprints)


def test_without_the_cache_nothing_is_read_or_written(history: Callable[..., Outcome], filled: Git, tmp_path: Path) -> None:
    history(cache=False)
    assert not [name for name in os.listdir(tmp_path / "own-cache") if name.startswith(("clean-", "history-"))]


def test_later_versions_of_a_place_are_not_looked_at_again(history: Callable[..., Outcome], filled: Git) -> None:
    for number in range(20):
        filled.commit(**{"a.env": b"# %d\n" % number + leak(2) + (leak(5) if number > 10 else b"")})
    first, second = history(), history()
    assert places(first) == places(second)
    assert len(places(first)) == 3

    def told(outcome: Outcome) -> set[tuple[str, bool | None]]:
        return {(o.provenance.where, o.provenance.in_head) for f in outcome.findings for o in f.occurrences}

    assert told(first) == told(second) == {("", True), ("GH, first of 21 versions", True), ("GH, first of 9 versions", True)}
    assert known(second) >= 20 + 20 + 10 - 3
    filled.commit(**{"a.env": leak(5)})
    third = history()
    assert told(third) == {("", True), ("GH, first of 21 versions", False), ("GH, first of 10 versions", True)}
    assert told(third) == told(history(cache=False))


def test_an_old_version_that_comes_back_elsewhere_is_told_of_both_places(history: Callable[..., Outcome], filled: Git) -> None:
    history()
    filled.write("copy.env", leak(2))
    filled("add", "copy.env")
    staged = history()
    assert {place[0] for place in places(staged)} >= {"a.env", "copy.env"}
    filled.commit("copied")
    for _ in range(3):
        assert {place[0] for place in places(history())} >= {"a.env", "copy.env"}
    assert places(history()) == places(history(cache=False))


# --- files of a tree


@pytest.fixture
def examiner(environment: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    return open_project(ScanOptions(), on_compile=lambda rules: None).recipe.examiner()[0]


def old(path: Path, content: bytes) -> None:
    """A file that was written long ago, as far as one can say so: the change time cannot be set."""
    path.write_bytes(content)
    os.utime(path, (1_600_000_000, 1_600_000_000))


def looks(tmp_path: Path, examiner: Any, *names: str, later: float = 10) -> dict[str, tuple[int, bool]]:
    """A run over files, so many seconds from now: the number of occurrences in each, and whether it was known."""
    results = CleanResults(DIGEST, str(tmp_path / "results"))
    known = KnownFiles(results, lambda: time.time() + later)
    found = {}
    for name in names:
        before = known.known
        examined = known.examine(examiner, name, follow=False)
        found[name] = (len(examined.occurrences), known.known > before)
    results.add(known.take()[0])
    assert results.save()
    return found


def test_a_clean_file_is_known_until_it_changes_and_one_with_a_secret_never_is(tmp_path: Path, examiner: Any) -> None:
    old(tmp_path / "clean", b"x\n")
    old(tmp_path / "leaky", leak(1))
    with closing(sqlite3.connect(tmp_path / "data.db")) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE t (x TEXT)")
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        names = ("clean", "leaky", "data.db")
        assert looks(tmp_path, examiner, *names, later=0) == {
            "clean": (0, False),
            "leaky": (1, False),
            "data.db": (0, False),
        }
        assert not looks(tmp_path, examiner, "clean")["clean"][1]  # what was just written was not remembered
        looks(tmp_path, examiner, *names)
        assert looks(tmp_path, examiner, *names) == {"clean": (0, True), "leaky": (1, False), "data.db": (0, True)}
        database.execute("INSERT INTO t VALUES (?)", (token(3).decode(),))
        database.commit()  # into the write-ahead log; the file itself is as before
        old(tmp_path / "clean", leak(2))
        again = looks(tmp_path, examiner, *names)
    assert again["clean"] == (1, False)
    assert again["leaky"] == (1, False)
    assert again["data.db"][1] is False


def test_files_that_are_none_are_left_to_the_examiner(tmp_path: Path, examiner: Any) -> None:
    (tmp_path / "link").symlink_to("/etc/hostname")
    known = KnownFiles(stored(tmp_path))
    assert known.examine(examiner, "gone", follow=False).problems
    assert known.examine(examiner, "link", follow=False).problems
    assert known.take() == ([], 0)
