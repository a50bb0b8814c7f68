"""Histories, exports, sessions of browsers and logs are found where they are planted, once, with what a person calls the place, and are
as they were afterwards."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests_support import token

from keyward.match import catalogue
from keyward.match.fingerprint import Fingerprinter
from keyward.match.matcher import Matcher
from keyward.model.finding import NotScanned, Occurrence
from keyward.registry import Registry
from keyward.scan.examine import Examiner
from keyward.scan.pool import examine_file
from keyward.scan.reread import reread
from keyward.scan.sources import browser, configs, exports, logs, shell
from keyward.scan.sources.host import Host, Tool
from keyward.scan.sources.journal import Journal
from keyward.scan.sources.sweep import Met, Sweep
from keyward.testing.planted_home import MOMENT, Home
from keyward.testing.planted_home import shell_and_logs as planter

TOOLS: tuple[Tool, ...] = (*shell.TOOLS, *browser.TOOLS, *logs.TOOLS, *exports.TOOLS, *configs.TOOLS)


class Swept(NamedTuple):
    """The planted home, what each file is, and what stands in each."""

    home: Home
    met: dict[str, Met]
    found: dict[str, list[Occurrence]]
    problems: list[NotScanned]


def digests(home: Home) -> dict[str, tuple[int, bytes]]:
    return {
        os.path.join(folder, name): (os.stat(os.path.join(folder, name)).st_mtime_ns, Path(folder, name).read_bytes())
        for folder, _, names in os.walk(home.folder)
        for name in names
    }


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swept]:
    home = Home(tmp_path_factory.mktemp("home"))
    planter.plant(home)
    home.finish()
    before = digests(home)
    registry = Registry()
    matcher = Matcher(registry, catalogue.load(registry, portable=False, on_compile=lambda rules: None))
    examiner = Examiner(matcher, Fingerprinter(bytes(16)))
    sweep = Sweep(Host(str(home.folder), {}, root=str(home.folder)), TOOLS)
    met: dict[str, Met] = {}
    found: dict[str, list[Occurrence]] = {}
    problems: list[NotScanned] = []
    for each in sweep.files():
        relative = os.path.relpath(each.path, home.folder)
        met[relative] = each
        if each.spot.opaque and not each.spot.marks:
            continue
        examined = examine_file(examiner, each.path, follow=False)
        found[relative] = examined.occurrences
        problems += examined.problems
    yield Swept(home, met, found, problems)
    assert digests(home) == before


def places() -> list[str]:
    """The names of all places, for a test each."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        planter.plant(home)
        return [canary.place for canary in home.canaries]


PLACES = places()


def test_there_are_many_places() -> None:
    assert len(PLACES) >= 45


@pytest.mark.parametrize("place", PLACES)
def test_a_place(swept: Swept, place: str) -> None:
    """It belongs to a source; its value is found once, and read again from there; or it is named as opaque."""
    canary = next(each for each in swept.home.canaries if each.place == place)
    met = swept.met.get(canary.path)
    assert met is not None, "no source has it"
    if canary.opaque:
        assert met.spot.opaque
        return
    assert not met.spot.opaque
    values: dict[str, list[Occurrence]] = {}
    for occurrence in swept.found[canary.path]:
        secret = reread(occurrence.locator)
        assert secret is not None
        values.setdefault(secret.reveal().decode(), []).append(occurrence)
    twice = 2 if place in TWICE else 1
    assert len(values.get(canary.value, ())) == twice, [each.locator for each in swept.found[canary.path]]
    occurrence = values[canary.value][0]
    said = (*occurrence.locator.container, occurrence.provenance.where)
    assert any(canary.where in each for each in said), said
    assert canary.value not in occurrence.provenance.where


TWICE = ("vim/command", "vim/long register", "vim/behind a newline")
"""vim writes these twice itself."""


def test_nothing_else_is_found(swept: Swept) -> None:
    planted = {canary.value for canary in swept.home.canaries}
    for path, occurrences in swept.found.items():
        for occurrence in occurrences:
            secret = reread(occurrence.locator)
            assert secret is not None and secret.reveal().decode() in planted, (path, occurrence.rule, occurrence.locator)
    assert [problem for problem in swept.problems if not problem.opaque] == []


@pytest.mark.parametrize(
    "path, source",
    [
        (".bash_history", "shell/bash"),
        (".zsh_history", "shell/zsh"),
        (".local/share/atuin/records.db", "shell/atuin"),
        (".mysql_history", "shell/mysql"),
        ("projects/shop/.settings.py.swp", "shell/vim"),
        ("recordings/demo2.cast", "shell/asciinema"),
        ("Downloads/Export-12345678-90ab-cdef.zip", "exports/notion"),
        ("notes/vault/.obsidian/plugins/copilot/data.json", "exports/obsidian"),
        ("projects/shop/playwright/.auth/user.json", "browser/playwright"),
        (".config/google-chrome/Default/Login Data", "browser/chromium"),
        (".mozilla/firefox/ab12.default/key4.db", "browser/firefox"),
        ("Downloads/example.org.har", "browser/har"),
        (".npm/_logs/2026-01-02T03_04_05_678Z-debug-0.log", "logs/npm"),
        ("actions-runner/_diag/pages/1.log", "logs/runners"),
    ],
)
def test_who_a_file_belongs_to(swept: Swept, path: str, source: str) -> None:
    assert swept.met[path].source == source


def test_when_it_was_written(swept: Swept) -> None:
    since = {path: {(o.provenance.since, o.provenance.since_from) for o in found} for path, found in swept.found.items()}
    assert since[".zsh_history"] == {(MOMENT + n, "message") for n in range(4)}
    assert since[".local/share/fish/fish_history"] == {(MOMENT + 9, "message")}
    assert since["logs/app.log"] == {(1767323045.678, "message")}
    assert since[".xsession-errors"] == {(MOMENT, "mtime")}


def test_spots_on_macos_and_elsewhere() -> None:
    """Every source says where its files are, in words, whatever the platform."""
    for platform in ("linux", "darwin"):
        host = Host("/h/me", {"HISTFILE": "~/other/history", "ZDOTDIR": "/h/me/.zsh"}, platform)
        for tool in TOOLS:
            for spot in tool.spots(host):
                assert spot.pattern and spot.format and spot.scrub, tool.full_name
                assert not spot.folder or os.path.isabs(spot.folder)
    assert any(spot.folder == "/h/me/other" for spot in shell.TOOLS[1].spots(host))
    firefox = next(tool for tool in browser.TOOLS if tool.name == "firefox")
    assert all("Library" in spot.folder for spot in firefox.spots(host))


def journal(content: bytes, status: int = 0) -> Journal:
    """A journal that answers just this."""
    script = "import sys; sys.stdout.buffer.write(bytes.fromhex(sys.argv[1])); sys.exit(int(sys.argv[2]))"
    arguments = [sys.executable, "-c", script, content.hex(), str(status)]
    return Journal(subprocess.Popen(arguments, stdout=subprocess.PIPE), 30.0)


def whole(reader: Journal) -> bytes:
    content = b""
    while piece := reader.read(7):
        content += piece
    return content


def test_the_journal_with_bytes_that_are_no_text() -> None:
    message = b"\x1b[32m" + token(1) + b"\xff"
    line = b'{"MESSAGE":' + json.dumps(list(message)).encode() + b',"_PID":"1"}\n'
    (record,) = [json.loads(each) for each in whole(journal(line)).splitlines()]
    assert record["MESSAGE"] == message.decode("utf-8", "replace") and record["_PID"] == "1"


def test_a_journal_that_fails_says_so() -> None:
    with pytest.raises(OSError, match="exit 1"):
        whole(journal(b"", 1))


def test_a_journal_that_takes_too_long_is_ended() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with pytest.raises(OSError, match="too long"):
        Journal(process, 0.1).read(10)
    assert process.poll() is not None
    assert process.stdin is not None
    process.stdin.close()


def test_no_journalctl_is_said() -> None:
    with pytest.raises(OSError, match="not installed"):
        logs.open_journal("journalctl-that-is-not-there")


def test_another_machine_has_no_journal() -> None:
    tool = next(tool for tool in logs.TOOLS if tool.name == "journal")
    assert list(tool.streams(Host("/mnt/h/me", {}, root="/mnt"))) == []


@pytest.mark.parametrize(
    ("kept", "streams"),
    [
        ((), 0),
        (("var/log/journal/",), 0),
        (("var/log/journal/0123456789abcdef/",), 0),
        (("var/log/journal/0123456789abcdef/readme.txt",), 0),
        (("var/log/journal/0123456789abcdef/system.journal",), 1),
        (("run/log/journal/0123456789abcdef/user-1000@0001.journal~",), 1),
        (("var/log/journal/remote/remote-host.journal", "run/log/journal/0123456789abcdef/system.journal"), 1),
    ],
)
def test_a_host_without_a_journal_is_asked_for_none(tmp_path: Path, kept: tuple[str, ...], streams: int) -> None:
    """A container, or a host without systemd, has no journalctl: that is nothing that a sweep left out."""
    for path in kept:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).mkdir(exist_ok=True) if path.endswith("/") else (tmp_path / path).touch()
    tool = next(tool for tool in logs.TOOLS if tool.name == "journal")
    assert len(list(tool.streams(Host("/h/me", {}, root=str(tmp_path), running=True)))) == streams
    mac = Host("/h/me", {}, "darwin", root=str(tmp_path), running=True)
    assert list(tool.streams(mac)) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root lists every folder")
def test_a_folder_of_journals_that_cannot_be_listed_is_asked_for(tmp_path: Path) -> None:
    folder = tmp_path / "var/log/journal/0123456789abcdef"
    folder.mkdir(parents=True)
    folder.chmod(0)
    tool = next(tool for tool in logs.TOOLS if tool.name == "journal")
    try:
        assert len(list(tool.streams(Host("/h/me", {}, root=str(tmp_path), running=True)))) == 1
    finally:
        folder.chmod(0o700)


@pytest.mark.skipif(shutil.which("vim") is None and "CI" not in os.environ, reason="vim is not installed")
def test_viminfo_as_vim_writes_it(tmp_path: Path) -> None:
    """The real thing: a register so long that vim cuts it, and a command with a newline before the value."""
    from keyward.formats.views import view_for

    key, other = token(1).decode(), token(2).decode()
    commands = [
        f"call setreg('a', repeat('x', 400) . ' {key} ' . repeat('y', 600), 'l')",
        f"call histadd(':', \"n\\n{other}\")",
    ]
    options = [each for command in commands for each in ("-c", command)]
    info = tmp_path / "info"
    subprocess.run(["vim", "-es", "-u", "NONE", "-i", str(info), "-c", "set nocp viminfo=!,<5000,s1000", *options,
                    "-c", f"wviminfo! {info}", "-c", "qa!"], check=False, stdin=subprocess.DEVNULL, timeout=30)  # fmt: skip
    data = info.read_bytes()
    make = view_for(".viminfo", data[:100])
    assert make is not None
    view = make(data)
    assert view is not None
    for value in (key, other):
        assert view.text.count(value.encode()) == 2
    assert f"\n{other}".encode() in view.text


@pytest.mark.skipif(shutil.which("script") is None and "CI" not in os.environ, reason="script is not installed")
def test_a_recording_as_script_writes_it(tmp_path: Path) -> None:
    from keyward.formats.views import view_for

    key = token(1).decode()
    path = tmp_path / "typescript"
    shown = f"printf 'a\\033[31m{key[:10]}\\033[0mq\\b \\b{key[10:]}\\n'"
    subprocess.run(
        ["script", "-q", "-c", shown, str(path)], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=30
    )
    data = path.read_bytes()
    make = view_for("typescript", data[:100])
    assert make is not None
    view = make(data)
    assert view is not None and f"a{key}\r\n".encode() in view.text
