"""`keyward scan`, as a user types it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import rules_cache as compiled
from tests_support import token

from keyward.plugin.checksums import crc32_base62
from keyward.plugin.shapes import an, concat
from keyward.testing.leaky_project import Planted


def test_everything_planted_is_found_and_nothing_is_shown(keyward, project: tuple[Path, Planted]) -> None:
    folder, planted = project
    result = keyward("scan", "--format", "jsonl", cwd=folder)
    assert result.code == 1
    kinds = {finding["kind"] for finding in result.findings}
    assert {
        "github/pat-classic", "aws/access-key", "tencent/access-key", "anthropic/api-key", "postgresql/password", "slack/bot-token",
        "telegram/bot-token",
    } <= kinds  # fmt: skip
    assert any(kind.startswith("openclaw/") for kind in kinds)
    assert any(kind.startswith("private-key/") for kind in kinds)
    for value in planted.values.values():
        assert value.decode() not in result.out + result.err
    paths = {finding["path"] for finding in result.findings}
    assert ".env.example" not in paths
    assert "src/app.py" not in paths
    assert "package-lock.json" not in paths
    assert result.summary["complete"] is True


def test_one_secret_in_two_places_is_one_finding(keyward, project: tuple[Path, Planted]) -> None:
    folder, _ = project
    found = [f for f in keyward("scan", "--format", "jsonl", cwd=folder).findings if f["kind"] == "github/pat-classic"]
    assert {(f["path"], f["role"]) for f in found} == {(".env", "live-config"), ("agent/memory/2026-11-20.md", "echo")}
    assert len({f["fingerprint"] for f in found}) == 1
    assert found[0]["masked"].startswith("ghp_")


def test_parts_of_one_credential_are_one_finding(keyward, project: tuple[Path, Planted]) -> None:
    folder, _ = project
    findings = keyward("scan", "--format", "jsonl", cwd=folder).findings
    aws = [f for f in findings if f["path"] == "deploy/credentials"]
    assert [(f["kind"], f["parts"]) for f in aws] == [("aws/access-key", ["id", "secret"])]
    assert aws[0]["public_id"].startswith("AKIA")
    assert len(aws[0]["facts"]["account"]) == 12
    tencent = [f for f in findings if f["kind"] == "tencent/access-key"]
    assert [f["parts"] for f in tencent] == [["id", "secret"]]


def test_a_locator_leads_back_to_the_value(keyward, project: tuple[Path, Planted]) -> None:
    folder, planted = project
    for finding in keyward("scan", "--format", "jsonl", cwd=folder).findings:
        if finding["kind"] in ("github/pat-classic", "anthropic/api-key", "aws/access-key"):
            locator = finding["locator"]
            data = (folder / locator["path"]).read_bytes()[locator["start"] : locator["end"]]
            assert data in planted.values.values()
            line = (folder / locator["path"]).read_text().splitlines()[finding["line"] - 1]
            assert line[finding["column"] - 1 :].startswith(data.decode())


def test_clean_is_clean(keyward, tmp_path: Path) -> None:
    (tmp_path / "clean").mkdir()
    (tmp_path / "clean" / "a.py").write_text("print('hello')\n")
    result = keyward("scan", cwd=tmp_path / "clean")
    assert result.code == 0
    assert "lean" in result.out


def test_standard_input(keyward) -> None:
    result = keyward("scan", "-", "--format", "jsonl", stdin=b"x=1\nGH=" + token(1) + b"\n")
    assert result.code == 1
    assert [(f["path"], f["line"], f["column"], f["source"]) for f in result.findings] == [("-", 2, 4, "stdin")]
    assert keyward("scan", "-", stdin=b"nothing").code == 0


@pytest.mark.parametrize("separator", [b"\n", b"\0"])
def test_a_list_of_files(keyward, tmp_path: Path, separator: bytes) -> None:
    (tmp_path / "a").write_bytes(token(1))
    (tmp_path / "b").write_bytes(token(2))
    (tmp_path / "c").write_bytes(token(3))
    result = keyward("scan", "--files-from", "-", "--format", "jsonl", stdin=separator.join([b"a", b"c", b""]))
    assert {f["path"] for f in result.findings} == {"a", "c"}
    assert keyward("scan", "a", "b", "--format", "jsonl").summary["files_scanned"] == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "latin-1"])
def test_every_encoding(keyward, tmp_path: Path, encoding: str) -> None:
    text = "# Schlüssel é\nname=value\n" * 5 + "GITHUB_TOKEN=" + token(1).decode() + "\n"
    (tmp_path / "f.txt").write_bytes(text.encode(encoding))
    findings = keyward("scan", "f.txt", "--format", "jsonl").findings
    assert [(f["line"], f["column"]) for f in findings] == [(11, 14)]
    locator = findings[0]["locator"]
    raw = (tmp_path / "f.txt").read_bytes()[locator["start"] : locator["end"]]
    name = locator["encoding"] if locator["encoding"] != "raw" else "latin-1"
    assert raw.decode(name).encode() == token(1)


def test_bad_bytes_and_nuls_hide_nothing(keyward, tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"\x7fELF\0\0\xff\xfe" + bytes(range(256)) * 9 + b"\0" + token(1) + b"\0" + b"\xc3\x28")
    assert len(keyward("scan", "a.bin", "--format", "jsonl").findings) == 1


def test_one_line_of_100_megabytes(keyward, tmp_path: Path) -> None:
    with (tmp_path / "long.txt").open("wb") as file:
        for _ in range(100):
            file.write(b"lorem ipsum " * 83_334)
        file.write(b" " + token(1) + b" tail" * 1000)
    findings = keyward("scan", "long.txt", "--format", "jsonl").findings
    assert [f["line"] for f in findings] == [1]
    locator = findings[0]["locator"]
    with (tmp_path / "long.txt").open("rb") as file:
        file.seek(locator["start"])
        assert file.read(locator["end"] - locator["start"]) == token(1)
    assert findings[0]["column"] == locator["start"] + 1


def test_two_gigabytes_in_bounded_memory(keyward, tmp_path: Path) -> None:
    """A sparse file with secrets at its beginning, across a chunk border, and at its end."""
    places = [5, (8 << 20) - 20, (1 << 30) + 7, (2 << 30) - 100]
    with (tmp_path / "huge").open("wb") as file:
        for number, place in enumerate(places):
            file.seek(place)
            file.write(b"\n" + token(number) + b"\n")
        file.truncate(2 << 30)
    program = (
        "import resource, subprocess, sys; r = subprocess.run(sys.argv[1:]);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr); sys.exit(r.returncode)"
    )
    command = [os.path.join(os.path.dirname(sys.executable), "keyward"), "scan", "huge", "--format", "jsonl"]
    done = subprocess.run([sys.executable, "-c", program, *command], cwd=tmp_path, capture_output=True, check=False)
    findings = [json.loads(line) for line in done.stdout.splitlines()][:-1]
    assert sorted(f["locator"]["start"] for f in findings) == [place + 1 for place in places]
    assert int(done.stderr.split()[-1]) < 200_000  # kB


def test_git_ignored_files_are_scanned_and_git_internals_are_not(keyward, repo) -> None:
    repo.write(".gitignore", b".env\n")
    repo.write(".env", b"T=" + token(1) + b"\n")
    repo.write("tracked", b"T=" + token(2) + b"\n")
    repo("add", ".gitignore", "tracked")
    repo("commit", "-q", "-m", "x")
    (repo.root / ".git" / "leak").write_bytes(token(3))
    every = keyward("scan", "--format", "jsonl", cwd=repo.root).findings
    assert {f["path"] for f in every} == {".env", "tracked"}
    tracked = keyward("scan", "--tracked", "--format", "jsonl", cwd=repo.root).findings
    assert {f["path"] for f in tracked} == {"tracked"}


def test_exclude_is_listed(keyward, tmp_path: Path) -> None:
    for name in ("keep/a", "drop/b", "c.log"):
        (tmp_path / "t" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "t" / name).write_bytes(token(1))
    result = keyward("scan", "t", "--exclude", "drop/", "--exclude", "*.log", "--format", "jsonl")
    assert {f["path"] for f in result.findings} == {"t/keep/a"}
    assert {e["path"] for e in result.summary["excluded"]} == {"t/drop", "t/c.log"}


def test_its_own_compiled_rules_are_no_leak(keyward, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    cache = compiled.copy(tmp_path / "tree" / "cache")
    own = sorted(each.name for each in cache.glob("rules-*.db"))
    (cache / "note").write_bytes(token(1))
    (cache / "below").mkdir()
    (cache / "below" / own[0]).write_bytes(token(2))
    result = keyward("scan", "tree", "--no-baseline", "--format", "jsonl", KEYWARD_CACHE=str(cache))
    assert {f["path"] for f in result.findings} == {"tree/cache/note", f"tree/cache/below/{own[0]}"}
    assert {f"tree/cache/{name}" for name in own} <= {e["path"] for e in result.summary["excluded"]}
    assert keyward("scan", "tree/cache", "--no-baseline", "--format", "jsonl", KEYWARD_CACHE=str(cache)).code == 1


def test_links_are_not_followed_out_of_the_root(keyward, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(token(1))
    root = tmp_path / "root"
    root.mkdir()
    (root / "out").symlink_to("../secret")
    (root / "folder").symlink_to("..")
    (root / "real").write_bytes(token(2))
    (root / "inside").symlink_to("real")
    (root / "loop").symlink_to("loop")
    result = keyward("scan", "root", "--format", "jsonl")
    assert {f["path"] for f in result.findings} == {"root/real"}
    assert {e["path"] for e in result.summary["excluded"]} >= {"root/out", "root/folder"}
    assert len(keyward("scan", "root/inside", "--format", "jsonl").findings) == 1  # named by the user


def test_what_cannot_be_read_is_named(keyward, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    result = keyward("scan", "pipe")
    assert result.code == 3
    assert "pipe" in result.out
    (tmp_path / "leak").write_bytes(token(1))
    assert keyward("scan", "pipe", "leak").code == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file; the pipe in the test above shows what is done with an unreadable one")
def test_an_unreadable_file_is_named(keyward, tmp_path: Path) -> None:
    (tmp_path / "locked").write_bytes(b"x")
    (tmp_path / "locked").chmod(0)
    assert keyward("scan", ".").code == 3


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["scan", "missing"], "there is no 'missing'"),
        (["scan", "--format", "nonsense"], "nonsense"),
        (["scan", "--persona", "nobody"], "nobody"),
        (["scan", "--nonsense"], "--nonsense"),
        (["scan", "--reveal"], "terminal"),
        (["scan", "--staged", "x"], "--staged"),
        (["scan", "--baseline", "missing.json"], "missing.json"),
        (["scan", "--rules", "missing.toml"], "missing.toml"),
        (["scan", "--tracked"], "git repository"),
        (["nonsense"], "nonsense"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_why(keyward, tmp_path: Path, words: list[str], says: str) -> None:
    (tmp_path / "plain").mkdir()
    result = keyward(*words, cwd=tmp_path / "plain")
    assert result.code == 2, result
    assert says in result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize("format", ["text", "json", "jsonl", "sarif", "junit", "gitlab"])
def test_no_format_shows_a_value(keyward, project: tuple[Path, Planted], format: str) -> None:
    folder, planted = project
    result = keyward("scan", "--format", format, "-o", "report", cwd=folder)
    report = (folder / "report").read_text()
    assert result.code == 1
    assert len(report) > 1000
    for value in planted.values.values():
        assert value.decode() not in report + result.out + result.err


def test_no_file_that_a_run_writes_holds_a_value(keyward, project: tuple[Path, Planted], tmp_path: Path) -> None:
    folder, planted = project
    cache = compiled.copy(tmp_path / "own-cache")
    for words in (["scan"], ["baseline", "create"], ["scan", "--format", "sarif", "-o", "out.sarif"], ["scan", "--engine", "portable"]):
        keyward(*words, cwd=folder, KEYWARD_CACHE=str(cache), TMPDIR=str(tmp_path))
    sources = set(planted.files)
    for path in tmp_path.rglob("*"):
        if path.is_file() and str(path.relative_to(folder) if folder in path.parents else path) not in sources:
            data = path.read_bytes()
            for name, value in planted.values.items():
                assert value not in data, f"{path} holds {name}"


def test_personas(keyward, tmp_path: Path) -> None:
    wrong = concat("ghp_", an(36)).sample(3).text
    (tmp_path / "a").write_bytes(b"token " + wrong + b"\npk = pk_live_" + an(24).sample(1).text + b"\n")
    regular = keyward("scan", "a", "--format", "jsonl")
    auditor = keyward("scan", "a", "--format", "jsonl", "--persona", "auditor")
    assert {f["kind"] for f in regular.findings} == {"github/pat-classic"}
    assert len(auditor.findings) >= len(regular.findings)
    failed = [s for s in regular.findings[0]["signals"] if s["name"] == "checksum"]
    assert failed[0]["weight"] < 0  # lowered, not hidden
    right = concat("ghp_", an(30)).tail(lambda t: crc32_base62(t[4:])).sample(3).text
    (tmp_path / "b").write_bytes(b"token " + right)
    assert keyward("scan", "b", "--format", "jsonl").findings[0]["confidence"] > regular.findings[0]["confidence"]


def test_both_engines_print_the_same_report(keyward, project: tuple[Path, Planted]) -> None:
    folder, _ = project
    reports = [keyward("scan", "--format", "jsonl", "--engine", engine, cwd=folder).findings for engine in ("hyperscan", "portable")]
    assert sorted(map(json.dumps, reports[0])) == sorted(map(json.dumps, reports[1]))


def test_the_number_of_workers_changes_nothing(keyward, project: tuple[Path, Planted]) -> None:
    folder, _ = project
    reports = [sorted(map(json.dumps, keyward("scan", "--format", "jsonl", "-j", n, cwd=folder).findings)) for n in ("1", "2", "7")]
    assert reports[0] == reports[1] == reports[2]


def test_interrupted_cleanly(environment: None, tmp_path: Path) -> None:
    for number in range(3000):
        (tmp_path / f"f{number}").write_bytes(b"lorem ipsum\n" * 4000)
    command = [os.path.join(os.path.dirname(sys.executable), "keyward"), "scan", ".", "-o", "report.txt"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
        time.sleep(0.002)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the whole group
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert err.endswith(b"keyward: interrupted; nothing is half done\n")
    assert b"Traceback" not in err
    assert not (tmp_path / "report.txt").exists()
    assert not list(tmp_path.glob("*.tmp"))
    assert not [pid for pid in children if os.path.exists(f"/proc/{pid}")]


def test_a_reader_that_goes_away_is_no_crash(environment: None, project: tuple[Path, Planted]) -> None:
    folder, _ = project
    command = f"{os.path.join(os.path.dirname(sys.executable), 'keyward')} scan --format json | head -c 1"
    done = subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, check=False)
    assert b"Traceback" not in done.stderr
    assert b"internal" not in done.stderr
