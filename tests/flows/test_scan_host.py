"""A sweep of a planted home finds every canary that can be read, names each that cannot, reports nothing else and changes nothing."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from keyward.cli.render import render_outcome
from keyward.errors import UsageError
from keyward.flows import scan_host
from keyward.flows.project import open_project
from keyward.flows.scan import Gathered, ScanOptions, scan
from keyward.flows.sources import listing
from keyward.match.fingerprint import FingerprintCache, Fingerprinter, from_base32
from keyward.model.finding import NotScanned, Occurrence, Outcome
from keyward.scan.reread import reread
from keyward.scan.sources.catalogue import chosen, tools
from keyward.scan.sources.host import Stream, Tool, other_host, this_host
from keyward.testing.planted_home import Canary, Home, env_and_configs, planted_home

LEAST_PLACES = 120


class Swept(NamedTuple):
    """A home, what it was like before the sweep, and what the sweep said."""

    home: Home
    before: dict[str, tuple[object, ...]]
    outcome: Outcome


def state(folder: Path) -> dict[str, tuple[object, ...]]:
    """Everything about every file and folder but the time of the last reading."""
    found: dict[str, tuple[object, ...]] = {}
    for top, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(top, name)
            about = os.lstat(path)
            content = b"" if name in folders or os.path.islink(path) else Path(path).read_bytes()
            digest = hashlib.blake2b(content).hexdigest()
            found[path] = (
                about.st_mode,
                about.st_ino,
                about.st_nlink,
                about.st_size,
                about.st_mtime_ns,
                about.st_ctime_ns,
                digest,
            )
    return found


@pytest.fixture(scope="module")
def caches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """keyward's own files of this module's tests."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("own")
        for name in ("CACHE", "STATE"):
            patch.setenv(f"KEYWARD_{name}", str(folder / name.lower()))
        (folder / "operator.toml").touch(0o600)
        patch.setenv("KEYWARD_CONFIG", str(folder / "operator.toml"))
        yield


@pytest.fixture(scope="module")
def swept(caches: None, tmp_path_factory: pytest.TempPathFactory) -> Swept:
    """The whole planted home, swept once."""
    folder = tmp_path_factory.mktemp("disk") / "home" / "ann"
    home = planted_home(folder)
    before = state(folder)
    return Swept(home, before, scan(ScanOptions(paths=(str(folder),), host=True, jobs=2)))


def occurrences(swept: Swept) -> dict[str, list[Occurrence]]:
    """By the value's fingerprint."""
    return {finding.fingerprint: list(finding.occurrences) for finding in swept.outcome.findings}


def fingerprints(swept: Swept) -> dict[str, Canary]:
    fingerprinter = Fingerprinter(from_base32(swept.outcome.salt), FingerprintCache())
    return {fingerprinter.of(canary.value.encode()): canary for canary in swept.home.canaries}


def at(occurrence: Occurrence, path: Path) -> bool:
    """Whether it stands in a file, in a version of it, or in a database's journal beside it."""
    return os.path.abspath(occurrence.locator.path) in (str(path), f"{path}-wal", f"{path}-journal")


def told(occurrence: Occurrence) -> str:
    return " → ".join((*occurrence.locator.container, occurrence.provenance.where))


def test_the_home_has_places_enough(swept: Swept) -> None:
    places = {canary.place for canary in swept.home.canaries}
    assert len(places) == len(swept.home.canaries) >= LEAST_PLACES


def test_every_canary_that_can_be_read_is_found_in_its_file(swept: Swept) -> None:
    found = occurrences(swept)
    missed = []
    for fingerprint, canary in fingerprints(swept).items():
        there = [each for each in found.get(fingerprint, ()) if at(each, swept.home.folder / canary.path)]
        if not there and not canary.opaque:
            missed.append(canary[:2])
    assert not missed


def test_each_is_told_where_it_stands(swept: Swept) -> None:
    found = occurrences(swept)
    wrong = []
    for fingerprint, canary in fingerprints(swept).items():
        if canary.where and fingerprint in found and not any(canary.where in told(each) for each in found[fingerprint]):
            wrong.append((*canary[:2], canary.where, [told(each) for each in found[fingerprint]]))
    assert not wrong


def test_every_opaque_one_is_named_and_not_found(swept: Swept) -> None:
    named = {item.path for item in swept.outcome.not_scanned if item.opaque}
    found = occurrences(swept)
    opaque = {fingerprint: canary for fingerprint, canary in fingerprints(swept).items() if canary.opaque}
    assert opaque
    assert not [canary[:2] for canary in opaque.values() if str(swept.home.folder / canary.path) not in named]
    assert not [canary[:2] for fingerprint, canary in opaque.items() if fingerprint in found]


def test_nothing_else_is_reported(swept: Swept) -> None:
    known = fingerprints(swept)
    strange = [
        (each.kind, each.rule, each.locator.path, each.locator.container, each.masked)
        for fingerprint, places in occurrences(swept).items()
        for each in places
        if fingerprint not in known or not at(each, swept.home.folder / known[fingerprint].path)
    ]
    assert not strange


def test_nothing_that_can_be_read_is_called_incomplete(swept: Swept) -> None:
    opaque = {str(swept.home.folder / canary.path) for canary in swept.home.canaries if canary.opaque}
    assert [item for item in swept.outcome.not_scanned if not item.opaque and item.path not in opaque] == []
    assert swept.outcome.excluded == ()


def test_a_row_without_a_column_of_times_is_dated_by_its_own_words(swept: Swept) -> None:
    """Cursor's table has a key and a value alone; when a bubble was written stands in its JSON."""
    dated: dict[str, Occurrence] = {}
    for fingerprint, canary in fingerprints(swept).items():
        if canary.path.endswith("Cursor/User/globalStorage/state.vscdb"):
            dated[canary.place.rpartition("vscdb ")[2]] = occurrences(swept)[fingerprint][0]
    bubble, composer = dated["bubble"].provenance, dated["composer"].provenance
    assert (bubble.since, bubble.since_from) == (datetime(2026, 10, 1, 8, tzinfo=UTC).timestamp(), "message")
    assert composer.since_from == "mtime", "it says nothing of it"


BUBBLE = "bubbleId:0f6a4f4e-6a35-4f0f-8a55-8e2f0c1d2b3a:7d0c1b2a-1111-4222-8333-944455566677"


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("agents/.config/Cursor/User/globalStorage/state.vscdb bubble", rf"/state\.vscdb → cursorDiskKV/{BUBBLE}:1:\d+ "),
        ("openclaw/transcript_events", r"/openclaw-agent\.sqlite → transcript_events s1#2:1:\d+ "),
    ],
)
def test_a_text_report_tells_the_table_and_the_row(swept: Swept, place: str, line: str) -> None:
    (wanted,) = (name for name, canary in fingerprints(swept).items() if canary.place == place)
    alone = swept.outcome._replace(findings=tuple(f for f in swept.outcome.findings if f.fingerprint == wanted))
    assert re.search(line, render_outcome("text", alone, color=False, width=100, strict=True, timeline=False))


def test_no_file_is_changed_made_or_removed(swept: Swept) -> None:
    assert state(swept.home.folder) == swept.before


def test_every_occurrence_names_its_source_and_what_it_is(swept: Swept) -> None:
    names = {tool.full_name for tool in tools()}
    for finding in swept.outcome.findings:
        for each in finding.occurrences:
            assert each.provenance.source in names, each.locator
            assert each.role in ("live-config", "echo"), each.locator


def test_a_live_configuration_is_told_from_an_echo(swept: Swept) -> None:
    roles = {
        canary.place: {each.role for each in occurrences(swept).get(fingerprint, ())}
        for fingerprint, canary in fingerprints(swept).items()
    }
    for place in (
        "env/dotenv",
        "env/systemd unit",
        "env/bashrc",
        "configs/netrc",
        "configs/gcloud default",
        "configs/terraform state",
        "agents/.config/Cursor/User/globalStorage/state.vscdb login",
    ):
        assert roles[place] == {"live-config"}, place
    for place in ("env/dotenv copy", "env/systemd unit copy", "env/bashrc copy", "configs/terraform state backup"):
        assert roles[place] == {"echo"}, place


@pytest.mark.parametrize("form", ["text", "json", "jsonl", "sarif", "junit", "gitlab"])
def test_no_report_holds_a_value(swept: Swept, form: str) -> None:
    text = render_outcome(form, swept.outcome, color=False, width=100, strict=True, timeline=True)
    assert text and not [canary.place for canary in swept.home.canaries if canary.value[4:] in text]


# --- options ------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def small(caches: None, tmp_path: Path) -> Home:
    home = Home(tmp_path / "home" / "ann", 7)
    home.write("work/.env", f"GITHUB_TOKEN={home.canary('env', 'work/.env')}\n")
    home.write(".netrc", " ".join(("machine github.com login ann password", home.canary("netrc", ".netrc"))) + "\n")
    home.write("work/main.py", f"TOKEN = '{home.canary('code', 'work/main.py')}'\n")
    return home


def paths(outcome: Outcome, home: Home) -> set[str]:
    return {os.path.relpath(each.locator.path, home.folder) for finding in outcome.findings for each in finding.occurrences}


def sweep(home: Home, **options: object) -> Outcome:
    return scan(ScanOptions(**{"paths": (str(home.folder),), "host": True, "jobs": 1, **options}))  # type: ignore[arg-type]


def test_only_files_of_a_source_are_looked_at(small: Home) -> None:
    assert paths(sweep(small), small) == {"work/.env", ".netrc"}


def test_a_text_report_tells_the_member_and_the_line(small: Home) -> None:
    packed = io.BytesIO()
    lines = [b"all is well\n"] * 119 + [f"token {small.canary('log', 'x')}\n".encode()]
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.log.3.gz", gzip.compress(b"".join(lines)))
    small.write("ci-logs/logs.zip", packed.getvalue())
    outcome = sweep(small, sources=("logs",))
    text = render_outcome("text", outcome, color=False, width=100, strict=True, timeline=False)
    assert "/ci-logs/logs.zip → app.log.3.gz:120:7 " in text


def test_sources_can_be_chosen(small: Home) -> None:
    assert paths(sweep(small, sources=("env",)), small) == {"work/.env"}
    assert paths(sweep(small, sources=("configs/netrc", "shell")), small) == {".netrc"}
    with pytest.raises(UsageError, match="there is no source 'envy'"):
        sweep(small, sources=("env", "envy"))


def test_a_home_that_is_not_there(small: Home) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        sweep(small, paths=(str(small.folder / "nobody"),))


def test_several_homes_at_once(small: Home, tmp_path: Path) -> None:
    other = Home(tmp_path / "home" / "bob", 8)
    other.write(".env", f"GITHUB_TOKEN={other.canary('env', '.env')}\n")
    outcome = sweep(small, paths=(str(small.folder), str(other.folder), str(other.folder)))
    assert paths(outcome, small) == {"work/.env", ".netrc", "../bob/.env"}


def test_variables_of_this_process_say_nothing_of_another_home(small: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = small.write("../../elsewhere/credentials", f"aws_session_token = {small.canary('aws', 'x')}\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(elsewhere))
    assert paths(sweep(small, sources=("configs",)), small) == {".netrc"}
    monkeypatch.setenv("HOME", str(small.folder))
    assert paths(sweep(small, sources=("configs",), paths=()), small) == {".netrc", "../../elsewhere/credentials"}


def test_the_history_of_an_agent_s_workspace_is_read_and_nothing_is_told_twice(
    git_environment: None, new_repo: Callable[..., Callable[..., str]], small: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = small.folder / ".openclaw" / "workspace"
    removed, remote = small.canary("removed", "x"), small.canary("remote", "y")
    git = new_repo(workspace)
    small.write(".openclaw/workspace/MEMORY.md", f"the token is {removed}\n")
    git("add", "-A")
    git("commit", "-q", "-m", "one")
    small.write(".openclaw/workspace/MEMORY.md", "there is no token\n")
    small.write(".openclaw/workspace/keyward.toml", 'exclude = ["MEMORY.md"]\n')
    git("add", "-A")
    git("commit", "-q", "-m", "two")
    git("remote", "add", "origin", f"https://ann:{remote}@git.example.org/x.git")
    outcome = sweep(small, sources=("agents/openclaw", "configs/git"))
    fingerprinter = Fingerprinter(from_base32(outcome.salt), FingerprintCache())
    found = {finding.fingerprint: finding.occurrences for finding in outcome.findings}
    (place,) = found[fingerprinter.of(removed.encode())]
    assert (place.locator.source, place.provenance.source) == ("history", "agents/openclaw")
    assert place.locator.path == str(workspace / "MEMORY.md"), "as every place of a sweep is told, wherever one stands"
    assert place.provenance.commit and place.provenance.in_head is False and place.role == "echo"
    (place,) = found[fingerprinter.of(remote.encode())]
    assert (place.locator.path, place.provenance.source) == (str(workspace / ".git" / "config"), "configs/git")
    monkeypatch.chdir(small.folder.parent)
    elsewhere = sweep(small, sources=("agents/openclaw", "configs/git"))
    assert {each.locator.path for finding in elsewhere.findings for each in finding.occurrences} == {
        each.locator.path for finding in outcome.findings for each in finding.occurrences
    }
    assert all(reread(each.locator) for finding in outcome.findings for each in finding.occurrences)
    # a folder that only seems to be a repository is named, and the one around it is not taken for it
    (small.folder / ".moltbot" / "workspace" / ".git").mkdir(parents=True)
    small.write(".moltbot/workspace/MEMORY.md", "nothing\n")
    (named,) = sweep(small, sources=("agents/openclaw",)).not_scanned
    assert named.path == str(small.folder / ".moltbot" / "workspace") and "no repository" in named.reason


def test_exclusions_on_the_command_line_are_relative_to_the_home(small: Home) -> None:
    outcome = sweep(small, exclude=("work/.env",))
    assert paths(outcome, small) == {".netrc"}
    assert [(os.path.relpath(each.path, small.folder), each.by) for each in outcome.excluded] == [
        ("work/.env", "--exclude: work/.env")
    ]


def test_the_project_that_the_command_is_run_in_and_the_home_s_own_files_have_no_say(
    small: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A swept home may be anybody's: it must not bring exceptions, and neither may the folder that one happens to stand in."""
    (tmp_path / "project").mkdir()
    for folder in (tmp_path / "project", small.folder):
        (folder / "keyward.toml").write_text('exclude = [".netrc", ".env"]\n')
    monkeypatch.chdir(tmp_path / "project")
    assert paths(sweep(small), small) == {"work/.env", ".netrc"}
    monkeypatch.setenv("HOME", str(small.folder))
    assert paths(sweep(small, paths=(), sources=("env/dotenv",)), small) == {"work/.env"}


def test_the_operator_s_configuration_holds(small: Home, tmp_path: Path) -> None:
    operator = tmp_path / "operator.toml"
    operator.write_text('exclude = ["work"]\n')
    operator.chmod(0o600)
    outcome = sweep(small, operator_config=str(operator))
    assert paths(outcome, small) == {".netrc"}
    assert [each.by for each in outcome.excluded] == ["operator's configuration: work"]


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="this system shows no environments of processes")
def test_running_processes_are_asked_for_their_environment_when_they_are_named(
    small: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(small.folder))
    value = small.canary("process", "")
    program = "import sys; print('up', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", program], env={"GITHUB_TOKEN": value}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as running:
        assert running.stdout is not None and running.stdout.readline() == b"up\n"
        outcome = sweep(small, paths=(), sources=("processes",))
        default = sweep(small, paths=(), sources=("env/dotenv",))
        assert running.stdin is not None
        running.stdin.close()
    fingerprint = Fingerprinter(from_base32(outcome.salt), FingerprintCache()).of(value.encode())
    (finding,) = (each for each in outcome.findings if each.fingerprint == fingerprint)
    (place,) = finding.occurrences
    assert (place.locator.path, place.locator.source) == (f"/proc/{running.pid}/environ", "process")
    assert (place.provenance.source, place.role) == ("processes/environ", "live-config")
    assert place.provenance.where.startswith('of "python')
    assert paths(default, small) == {"work/.env"}


def test_what_is_no_file_is_looked_through_or_named(small: Home) -> None:
    value = small.canary("stream", "")

    def reader() -> Callable[[int], bytes]:
        rest = [f"Mar 01 09:00:00 host agent[1]: token {value}\n".encode()]
        return lambda size: rest.pop() if rest else b""

    def closed() -> Callable[[int], bytes]:
        raise OSError(0, "only root and the group adm may read it")

    streams = (Stream("journal of the user", reader, "journal", "no"), Stream("journal of the system", closed, "journal", "no"))
    journal = Tool("journal", "logs", "the journal", lambda host: (), lambda host: streams)
    gathered = Gathered()
    project = open_project(ScanOptions(paths=(str(small.folder),)), on_compile=lambda rules: None)
    scan_host._streams(this_host(), (journal,), project, gathered, lambda files, size, found: None)
    (found,) = gathered.occurrences
    assert (found.locator.path, found.locator.source) == ("journal of the user", "process")
    assert (found.provenance.source, found.role) == ("logs/journal", "echo")
    assert gathered.not_scanned == [NotScanned("journal of the system", "only root and the group adm may read it")]
    # a home that is only looked at has neither journal nor processes
    scan_host._streams(other_host(str(small.folder)), (journal,), project, gathered, lambda files, size, found: None)
    assert gathered.files == 1


def test_a_host_without_systemd_is_swept_whole(small: Home) -> None:
    """No journal and no journalctl leave nothing out, so that a clean sweep of a container ends with 0."""
    (bare := small.folder.parent / "bare").mkdir()
    running = this_host()._replace(home=str(bare), root=str(bare), environ={})
    gathered = Gathered()
    options = ScanOptions(paths=(str(bare),), host=True, jobs=1)
    project = open_project(options, on_compile=lambda rules: None)
    scan_host._sweep(running, chosen(()), options, project, gathered, lambda files, size, found: None)
    assert (gathered.not_scanned, gathered.occurrences) == ([], [])


def test_a_process_that_has_ended_has_no_environment() -> None:
    from keyward.scan.sources.processes import _open

    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
        path = f"/proc/{ended.pid}/environ"
    assert _open(path)(100) == b""


# --- keyward sources ----------------------------------------------------------------------------------------------------------


def test_the_listing_counts_what_a_sweep_looks_at(caches: None, tmp_path: Path) -> None:
    home = Home(tmp_path / "home" / "ann", 9)
    env_and_configs.plant(home)
    (found,) = listing((str(home.folder),))
    rows = {(row.source, row.where): row for row in found.rows}
    # what is told from its contents is looked at, for the sake of what may stand plain in it
    told_by_content = ("vault.yml", ".env.vault", "secrets.yaml")
    sealed = {canary.path for canary in home.canaries if canary.opaque and not canary.path.endswith(told_by_content)}
    assert sum(row.files for row in found.rows) == sweep(home).stats.files + len(sealed)
    dotenv = rows["env/dotenv", "~/**/.env*"]
    assert dotenv.files >= 6 and dotenv.bytes > 200 and dotenv.readable == "yes" and dotenv.role == "live-config"
    assert rows["configs/keyrings", "~/**/*.kdbx"].readable == "no: encrypted by KeePass"
    assert rows["configs/infrastructure", "~/**/vault.yml"].readable == "partly: encrypted by Ansible Vault (1 of 2)"
    assert all(row.format and row.scrub for row in found.rows)
    (everything,) = listing((str(home.folder),), everything=True)
    assert set(found.rows) < set(everything.rows)
    assert {row.readable for row in set(everything.rows) - set(found.rows)} == {"nothing there"}
