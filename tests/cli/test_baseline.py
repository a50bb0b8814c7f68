"""`keyward baseline`, and how a scan and a hook honour it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests_support import token

from keyward.testing.leaky_project import Planted


def test_what_is_in_the_baseline_passes_and_what_is_new_does_not(keyward, project: tuple[Path, Planted]) -> None:
    folder, planted = project
    created = keyward("baseline", "create", cwd=folder)
    assert created.code == 0
    text = (folder / ".keyward.baseline").read_text()
    assert not any(value.decode() in text for value in planted.values.values())
    assert not any(path in text for path in planted.files)
    passed = keyward("scan", "--format", "jsonl", cwd=folder)
    assert passed.code == 0
    assert {a["allowance"]["by"] for a in passed.summary["allowed"]} == {"baseline"}
    (folder / "new.txt").write_bytes(token(9))
    later = keyward("scan", "--format", "jsonl", cwd=folder)
    assert later.code == 1
    assert [f["path"] for f in later.findings] == ["new.txt"]
    assert keyward("scan", "--no-baseline", cwd=folder).code == 1


def test_it_does_not_care_where_things_stand(keyward, project: tuple[Path, Planted], tmp_path: Path) -> None:
    folder, _ = project
    keyward("baseline", "create", cwd=folder)
    before = (folder / ".keyward.baseline").read_text()
    for path in [folder / ".env", folder / "notes/export.md"]:
        path.write_bytes(b"# a new line\r\n" * 30 + path.read_bytes().replace(b"\n", b"\r\n"))
    (folder / "deploy").rename(folder / "moved")
    shutil.copytree(folder, tmp_path / "elsewhere" / "deeper")
    assert keyward("scan", cwd=folder).code == 0
    assert keyward("scan", cwd=tmp_path / "elsewhere" / "deeper", KEYWARD_STATE=str(tmp_path / "other-user")).code == 0
    keyward("baseline", "create", cwd=folder)
    assert (folder / ".keyward.baseline").read_text() == before


def test_entries_that_no_longer_occur_are_reported_and_pruned(keyward, project: tuple[Path, Planted]) -> None:
    folder, _ = project
    keyward("baseline", "create", cwd=folder)
    entries = len((folder / ".keyward.baseline").read_text().splitlines())
    (folder / "notes/export.md").unlink()
    scanned = keyward("scan", "--format", "jsonl", cwd=folder)
    assert scanned.code == 0
    assert len(scanned.summary["stale_baseline"]) == 1
    assert keyward("baseline", "prune", "--dry-run", cwd=folder).out.startswith(scanned.summary["stale_baseline"][0])
    assert len((folder / ".keyward.baseline").read_text().splitlines()) == entries
    assert keyward("baseline", "prune", cwd=folder).code == 0
    assert len((folder / ".keyward.baseline").read_text().splitlines()) == entries - 1
    assert keyward("scan", "--format", "jsonl", cwd=folder).summary["stale_baseline"] == []


def test_audit_labels_stay_when_the_baseline_is_written_again(keyward, project: tuple[Path, Planted]) -> None:
    folder, planted = project
    keyward("baseline", "create", cwd=folder)
    answers = b"f\nnot a secret\na\nonly a test server\ns\nq\n"
    audited = keyward("baseline", "audit", cwd=folder, stdin=answers)
    assert audited.code == 0, audited
    assert not any(value.decode() in audited.out for value in planted.values.values())
    keyward("baseline", "create", cwd=folder)
    lines = [json.loads(line) for line in (folder / ".keyward.baseline").read_text().splitlines()[1:]]
    labels = sorted((e["status"], e.get("reason", "")) for e in lines if e["status"] != "unreviewed")
    assert labels == [("accepted", "only a test server"), ("false-positive", "not a secret")]


def test_the_staged_scan_honours_it(keyward, repo) -> None:
    repo.write("leak", b"T=" + token(1) + b"\n")
    assert keyward("baseline", "create", cwd=repo.root).code == 0
    repo("add", "-A")
    assert keyward("scan", "--staged", cwd=repo.root).code == 0
    assert keyward("hook", "run", cwd=repo.root).code == 0
    repo.write("leak", b"T=" + token(2) + b"\n")
    repo("add", "-A")
    assert keyward("hook", "run", cwd=repo.root).code == 1


def test_a_damaged_baseline_is_named_with_its_line(keyward, project: tuple[Path, Planted]) -> None:
    folder, _ = project
    keyward("baseline", "create", cwd=folder)
    path = folder / ".keyward.baseline"
    path.write_text(path.read_text() + "<<<<<<< HEAD\n")
    result = keyward("scan", cwd=folder)
    assert result.code == 2
    assert ".keyward.baseline:" in result.err
    assert "merge" in result.err


def test_baselines_of_others_are_read(keyward, tmp_path: Path) -> None:
    import hashlib

    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "keyward.toml").write_text("")
    (folder / "a.txt").write_bytes(b"x\nT=" + token(1) + b"\n")
    (folder / "b.txt").write_bytes(b"x\nT=" + token(2) + b"\n")
    listed = {"type": "GitHub Token", "filename": "a.txt", "hashed_secret": hashlib.sha1(token(1)).hexdigest(), "line_number": 2}
    (folder / ".secrets.baseline").write_text(json.dumps({"version": "1.5.0", "plugins_used": [], "results": {"a.txt": [listed]}}))
    (folder / ".gitleaksignore").write_text("b.txt:github-pat:2\n")
    result = keyward("scan", "--format", "jsonl", cwd=folder)
    assert result.code == 0, result.out
    assert {a["allowance"]["by"] for a in result.summary["allowed"]} == {".secrets.baseline", ".gitleaksignore"}
    assert keyward("scan", "--no-baseline", cwd=folder).code == 1


def test_inline_allowances_are_listed_and_hide_nothing_else(keyward, tmp_path: Path) -> None:
    line = b"a='" + token(1) + b"'  # keyward:allow only a test\n"
    (tmp_path / "one.py").write_bytes(line)
    one = keyward("scan", "one.py", "--format", "jsonl")
    assert one.code == 0
    assert [(a["allowance"]["by"], a["allowance"]["reason"]) for a in one.summary["allowed"]] == [("keyward:allow", "only a test")]
    (tmp_path / "two.py").write_bytes(b"b='" + token(2) + b"'; " + line)
    two = keyward("scan", "two.py", "--format", "jsonl")
    assert two.code == 1
    assert len(two.findings) == 2
    (tmp_path / "specific.py").write_bytes(
        b"b='" + token(2) + b"'; " + line.replace(b":allow", f":allow[{one.summary['allowed'][0]['fingerprint']}]".encode())
    )
    assert len(keyward("scan", "specific.py", "--format", "jsonl").findings) == 2 - (1 if _same_salt(one, two) else 0)


def _same_salt(one, two) -> bool:
    return one.summary["salt"] == two.summary["salt"]
