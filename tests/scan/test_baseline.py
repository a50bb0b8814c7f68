"""The baseline file: stable, mergeable, position-free, and plain about what is wrong with it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyward.errors import ConfigError
from keyward.match.fingerprint import Fingerprinter
from keyward.model.finding import Locator, Occurrence
from keyward.model.kind import Kind
from keyward.scan.baseline import (
    ACCEPTED,
    FALSE_POSITIVE,
    NAME,
    REVOKED,
    STATUSES,
    UNREVIEWED,
    Baseline,
    Entry,
    create,
    dumps,
    load,
    loads,
    save,
)  # fmt: skip

SALT = bytes(range(32))
FINGERPRINTS = [Fingerprinter(SALT).of(b"%030d" % number) for number in range(12)]
A, B, C = sorted(FINGERPRINTS[:3])

entries = st.builds(
    Entry,
    st.sampled_from(FINGERPRINTS),
    st.sampled_from(["github/pat-classic", "aws/access-key", "user/ünïcode"]),
    st.text(max_size=12),
    st.sampled_from(STATUSES),
    st.text(max_size=20),
)
tables = st.lists(entries, max_size=8).map(lambda found: {entry.fingerprint: entry for entry in found})


def occurrence(fingerprint: str, kind: str = "github/pat-classic", path: str = "a.py", line: int = 1) -> Occurrence:
    locator = Locator("tree", path, line * 10, line * 10 + 5)
    return Occurrence(fingerprint, kind, Kind(kind), "high", locator, line, 1, line, "ghp_…x7 (40)", 75, (), (), "", (), "")


@given(tables)
def test_what_is_written_is_read_back(table: dict[str, Entry]) -> None:
    assert loads(dumps(Baseline(SALT, table))) == Baseline(SALT, table, NAME)


@given(tables)
def test_the_text_depends_on_nothing_but_the_entries(table: dict[str, Entry]) -> None:
    text = dumps(Baseline(SALT, table))
    assert text == dumps(Baseline(SALT, dict(reversed(table.items())), "elsewhere"))
    assert dumps(loads(text)) == text
    assert text.endswith("\n") and "\r" not in text
    assert len(text.splitlines()) == 1 + len(table)
    assert all(character.isprintable() or character == "\n" for character in text)


@given(tables, tables, tables)
def test_what_two_branches_add_merges_line_by_line(
    base: dict[str, Entry], ours: dict[str, Entry], theirs: dict[str, Entry]
) -> None:
    """A line depends on its own entry only, so the lines of both sides, in any order, are the baseline of both."""
    ours = {**ours, **base}
    theirs = {**theirs, **base, **{name: entry for name, entry in ours.items() if name in theirs}}
    both = {**ours, **theirs}
    lines = [dumps(Baseline(SALT, side)).splitlines() for side in (base, ours, theirs, both)]
    assert set(lines[0]) <= set(lines[1]) and set(lines[0]) <= set(lines[2])
    assert set(lines[3]) == set(lines[1]) | set(lines[2])
    # What `merge=union` leaves: the head, then any order, lines of both sides twice.
    assert loads("\n".join(lines[1] + lines[2])).entries == both


def test_the_exact_text() -> None:
    baseline = create([occurrence(B), occurrence(A, "aws/access-key")], SALT).label(A, ACCEPTED, "known to all")
    assert dumps(baseline) == (
        '{"keyward-baseline": 1, "salt": "aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypq"}\n'
        f'{{"fingerprint": "{A}", "kind": "aws/access-key", "masked": "ghp_…x7 (40)", "status": "accepted", '
        '"reason": "known to all"}\n'
        f'{{"fingerprint": "{B}", "kind": "github/pat-classic", "masked": "ghp_…x7 (40)", "status": "unreviewed"}}\n'
    )


def test_moving_a_secret_changes_nothing() -> None:
    one = create([occurrence(A, path="a.py", line=3)], SALT)
    assert dumps(one) == dumps(create([occurrence(A, path="deep/b.py", line=999)], SALT, one))


def test_labels_stay_and_kinds_follow() -> None:
    labelled = create([occurrence(A, "generic/token"), occurrence(B)], SALT).label(A, REVOKED, "on 2 May\nby me")
    again = create([occurrence(A, "acme/token"), occurrence(C)], SALT, labelled)
    assert again.entries[A] == Entry(A, "acme/token", "ghp_…x7 (40)", REVOKED, "on 2 May by me")
    assert set(again.entries) == {A, B, C}


def test_another_salt_is_refused() -> None:
    with pytest.raises(ConfigError, match="another salt"):
        create([], SALT[::-1], create([occurrence(A)], SALT))


def test_stale_and_prune() -> None:
    baseline = create([occurrence(A), occurrence(B), occurrence(C)], SALT)
    assert baseline.stale({B}) == (A, C)
    assert baseline.stale({A, B, C, "kw1_other"}) == ()
    assert set(baseline.prune({B}).entries) == {B}
    assert set(baseline.entries) == {A, B, C}


def test_match() -> None:
    baseline = create([occurrence(A), occurrence(B)], SALT).label(A, FALSE_POSITIVE, "a checksum")
    assert baseline.match(A) == ("baseline", "false-positive: a checksum")
    assert baseline.match(B) == ("baseline", "unreviewed")
    assert baseline.match(C) is None


def test_labels_are_checked() -> None:
    baseline = create([occurrence(A)], SALT)
    with pytest.raises(ValueError, match="status"):
        baseline.label(A, "fine")
    with pytest.raises(KeyError):
        baseline.label(B, ACCEPTED)


HEAD = dumps(Baseline(SALT)).strip()
LINE_A, LINE_B = dumps(create([occurrence(A), occurrence(B)], SALT)).splitlines()[1:]


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        ("", 1, "empty", "create"),
        ("\n\n", 1, "empty", "create"),
        ("{}", 1, "no keyward baseline", "create"),
        ('{"version": "1.5.0", "results": {}}', 1, "no keyward baseline", ".secrets.baseline"),
        (HEAD.replace(": 1,", ": 2,"), 1, "format 2", "Update"),
        (HEAD.replace("aaaq", "AAAQ"), 1, "salt", "Restore"),
        ('{"keyward-baseline": 1}', 1, "salt", "Restore"),
        (f"{HEAD}\n<<<<<<< HEAD\n{LINE_A}\n=======\n{LINE_B}\n>>>>>>> main", 2, "merge conflict", "merge=union"),
        (f"{HEAD}\n{LINE_A}\n\n{LINE_B[:-5]}", 4, "not a JSON object", "history"),
        (f"{HEAD}\n[1]", 2, "not a JSON object", "history"),
        (f"{HEAD}\n" + "[" * 100_000, 2, "not a JSON object", "history"),
        (f'{HEAD}\n{{"fingerprint": "kw1_short"}}', 2, "fingerprint", "create"),
        (f"{HEAD}\n{LINE_A}\n" + LINE_A.replace("unreviewed", "fine"), 3, "status", "false-positive"),
        (f"{HEAD}\n" + LINE_A.replace('"kind"', '"path"'), 2, "does not know", "fingerprint, kind"),
        (f"{HEAD}\n" + LINE_A.replace('"unreviewed"', "7"), 2, "`status` is not text", "quotation"),
        (f"{HEAD}\n{LINE_A}\n" + HEAD.replace("aaaq", "baaq"), 3, "second salt", "keep"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, line: int, message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loads(text, "b")
    assert str(caught.value).startswith(f"b:{line}: ") and message in str(caught.value)
    assert hint in caught.value.hint


def test_one_finding_twice() -> None:
    decided = LINE_A.replace("unreviewed", "accepted")
    for text in (f"{HEAD}\n{LINE_A}\n{decided}", f"{HEAD}\n{decided}\n{LINE_A}\n{HEAD}\n{decided}"):
        assert loads(text).entries[A].status == ACCEPTED
    with pytest.raises(ConfigError, match=r"b:3: the finding of line 2 again"):
        loads(f"{HEAD}\n{decided}\n" + LINE_A.replace("unreviewed", "revoked"), "b")


def test_windows_line_ends_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(b"\xef\xbb\xbf" + f"{HEAD}\n{LINE_A}\n".replace("\n", "\r\n").encode())
    baseline = load(str(path))
    assert baseline is not None and set(baseline.entries) == {A} and baseline.entries[A].status == UNREVIEWED


def test_saving_is_whole_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / NAME
    baseline = create([occurrence(A)], SALT)
    save(baseline, str(path))
    save(baseline, str(path))
    assert load(str(path)) == baseline._replace(path=str(path))
    assert os.listdir(tmp_path) == [NAME]
    with pytest.raises(ConfigError, match="cannot be written"):
        save(baseline, str(tmp_path / "no" / NAME))


@pytest.mark.skipif(os.name == "nt", reason="links")
def test_saving_replaces_a_link_and_does_not_follow_it(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("precious\n")
    (tmp_path / NAME).symlink_to(target)
    save(create([occurrence(A)], SALT), str(tmp_path / NAME))
    assert target.read_text() == "precious\n" and not (tmp_path / NAME).is_symlink()


def test_no_file_is_no_baseline(tmp_path: Path) -> None:
    assert load(str(tmp_path / NAME)) is None


@pytest.mark.skipif(os.name == "nt", reason="pipes and devices")
def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (str(tmp_path / "pipe"), str(tmp_path), "/dev/zero"):
        with pytest.raises(ConfigError, match="is not a regular file"):
            load(path)


def test_an_error_repeats_nothing_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("root:hidden:0:0\n")
    (tmp_path / NAME).symlink_to(tmp_path / "other")
    with pytest.raises(ConfigError) as caught:
        load(str(tmp_path / NAME))
    assert "hidden" not in str(caught.value) + caught.value.hint


def test_text_that_is_not_utf8(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(HEAD.encode() + b"\n\xff\xfe\n")
    with pytest.raises(ConfigError, match=r":2: is not UTF-8"):
        load(str(tmp_path / NAME))
