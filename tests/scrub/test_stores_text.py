"""Transcripts, JSON, histories, notebooks and logs: a value goes, and nothing else changes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from scrub.files_support import plain
from scrub.stores_support import PSEUDONYMS, holds, plan, redactor, scrub, store
from tests_support import token

from keyward.formats.views import view_for
from keyward.model.kind import Kind
from keyward.plugin.ports import Call
from keyward.scrub.open_file import OpenFile
from keyward.scrub.overwrite import overwrite
from keyward.scrub.plan import Name, Refusal, Treatment
from keyward.scrub.redactor import Style
from keyward.scrub.spans import find
from keyward.scrub.stores.whole_file import WholeFiles
from keyward.testing.planted_home import Home, agents, shell_and_logs

VALUE = token(1)
KIND = Kind("github/pat-classic")


def shown(value: bytes = VALUE) -> bytes:
    return f"[redacted:{KIND}:{PSEUDONYMS.of(value)}]".encode()


def test_of_a_transcript_only_the_bytes_of_the_value_change(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    before = (
        '{"a":1.50,"a": 1e3,  "text":"x\u2028y\u2029\u0085z ' + "\\ud83d" + '"}\n'
        f'{{"type":"user","dup":"{VALUE.decode()}","dup":"{VALUE.decode()}"}}\r\n'
        f'{{"{VALUE.decode()}":[1,2.0,-0,10000000000000000000000000000000]}}\n'
        f'{{"nested":"{{\\"k\\":\\"{VALUE.decode()}\\"}}","lone":"\\ud83d"}}\n'
        "\n"
        f'{{"cut off":"{VALUE.decode()}'
    ).encode() + b"\xff\xfe"
    path.write_bytes(before)
    result = scrub(path)
    assert path.read_bytes() == before.replace(VALUE, shown())
    assert result.before == {Name(KIND, PSEUDONYMS.of(VALUE)): 5}


@pytest.mark.parametrize("style", Style)
def test_an_escaped_value_goes_with_its_escapes(tmp_path: Path, style: Style) -> None:
    path = tmp_path / "session.jsonl"
    text = VALUE.decode()
    escaped = text.replace("_", "\\u005f").replace(text[10], f"\\u{ord(text[10]):04x}", 1)
    path.write_text(f'{{"a":"use\\n{escaped} now","b":2}}\n{{"c":"{json.dumps(escaped)[1:-1]}"}}\n')
    before = path.read_bytes()
    result = scrub(path, style=style)
    assert sum(result.before.values()) == 2
    first, second = (json.loads(line) for line in path.read_text().splitlines())
    assert first["a"].startswith("use\n") and first["a"].endswith(" now") and first["b"] == 2 and second.keys() == {"c"}
    if style is Style.TOKEN:
        assert first["a"] == f"use\n{shown().decode()} now" and second["c"] == shown().decode()
    if style is Style.SAME_LENGTH:
        assert len(path.read_bytes()) == len(before)


def test_signed_thinking_is_named_and_not_edited(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    thinking = {"type": "thinking", "thinking": f"The key is {VALUE.decode()}.", "signature": "EqQB" + "x" * 40}
    line = {"type": "assistant", "message": {"content": [thinking, {"type": "text", "text": f"With {VALUE.decode()}."}]}}
    path.write_text(json.dumps(line) + "\n")
    planned = plan(path)
    assert planned.treatment is Treatment.REPLACE and "signed" in planned.remarks[0]
    result = store(path).scrub(str(path), redactor(), Style.TOKEN)
    name = Name(KIND, PSEUDONYMS.of(VALUE))
    assert (result.before, result.after) == ({name: 2}, {name: 1})
    assert "delete the session" in result.left[0] and VALUE.decode() not in "".join(result.left)
    after = json.loads(path.read_text())
    assert after["message"]["content"][0] == thinking
    assert after["message"]["content"][1]["text"] == f"With {shown().decode()}."
    path.write_text(json.dumps({"message": {"content": [thinking]}}) + "\n")
    before = path.read_bytes()
    assert plan(path).treatment is Treatment.REPORT
    assert store(path).scrub(str(path), redactor(), Style.TOKEN).after == {name: 1} and path.read_bytes() == before


def test_thinking_without_a_signature_is_a_text_like_any_other(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    path.write_text(json.dumps({"type": "thinking", "thinking": f"key {VALUE.decode()}", "signature": ""}) + "\n")
    scrub(path)
    assert json.loads(path.read_text())["thinking"] == f"key {shown().decode()}"


def test_a_value_found_by_its_name_goes_where_it_has_none(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    secret = "hV7" + token(3).decode()[4:30] + "q"
    path.write_text(json.dumps({"client_secret": secret, "said": [f"then {secret} was typed", secret[::-1]]}, indent=1))
    assert sum(plan(path).found.values()) == 2
    scrub(path)
    assert secret.encode() not in path.read_bytes() and secret[::-1].encode() in path.read_bytes()


def test_a_value_that_is_a_number_stays_a_number(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text('{"pin": 8401957362, "text": "pin 8401957362"}')
    scrub(path, b"8401957362")
    after = json.loads(path.read_text())
    assert after["pin"] == 9999999999 and after["text"].startswith("pin [redacted:")


def test_a_notebook_keeps_its_form(tmp_path: Path) -> None:
    path = tmp_path / "work.ipynb"
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "source": ["import os\n", f"token = '{VALUE.decode()}'"]}
    before = json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n"
    path.write_text(before)
    scrub(path)
    assert path.read_bytes() == before.encode().replace(VALUE, shown())


def planted(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    shell_and_logs.plant(home)
    return home


HISTORIES = (
    "bash/one line",
    "zsh/extended",
    "zsh/metafied",
    "zsh/joined word",
    "zsh/lines",
    "fish/behind a newline",
    "nushell/lines",
    "python/readline",
    "python/libedit",
    "psql/0x01",
    "mysql/octal",
    "mariadb/octal",
    "vim/command",
    "vim/long register",
    "vim/behind a newline",
    "script/backspaces",
    "tmux/pipe-pane",
    "tmux/at the margin",
    "asciinema/v2",
    "asciinema/v3",
    "docker/16 KiB",
    "docker/escaped",
    "cri/partial",
    "ci/wrapped",
    "log/json",
    "log/request line",
    "log/colours",
    "json/escaped slash",
    "git-credentials/percent",
)


@pytest.mark.parametrize("style", Style)
def test_what_tools_wrote_reads_back_without_the_values(tmp_path: Path, style: Style) -> None:
    """Every file is read again the way its tool reads it."""
    home = planted(tmp_path)
    by_path: dict[str, list[bytes]] = {}
    for each in home.canaries:
        if each.place in HISTORIES:
            by_path.setdefault(each.path, []).append(each.value.encode())
    assert len(by_path) >= 20
    for relative, values in by_path.items():
        path = tmp_path / relative
        before = path.read_bytes()
        if relative == ".bash_history":  # plain text: somebody else's
            continue
        result = scrub(path, style=style)
        assert sum(result.before.values()) >= len(values), relative
        after = path.read_bytes()
        assert holds(after, values) == [], relative
        make = view_for(relative, after[:4096])
        assert make is not None
        view = make(after)
        text = view.text if view is not None else after
        assert holds(text, values) == [], relative
        assert after.count(b"\n") == before.count(b"\n"), relative
        if style is Style.SAME_LENGTH:
            assert len(after) == len(before), relative


def test_a_value_over_two_docker_records_leaves_both_whole(tmp_path: Path) -> None:
    planted(tmp_path)
    path = tmp_path / ".local/share/docker/containers/0123456789ab/0123456789ab-json.log"
    before = [json.loads(line) for line in path.read_text().splitlines()]
    scrub(path)
    after = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(each["stream"], each["time"]) for each in after] == [(each["stream"], each["time"]) for each in before]
    assert after[3]["log"] == " end\n" and after[2] == before[2] and "[redacted:" in after[1]["log"]


def _as_zsh_reads(data: bytes) -> bytes:
    """Behind the byte 0x83 each byte has its sixth bit turned over (zsh's Src/utils.c, `unmetafy`)."""
    read = bytearray()
    rest = iter(data)
    for each in rest:
        read.append(next(rest) ^ 32 if each == 0x83 else each)
    return bytes(read)


def test_zsh_reads_its_history_back(tmp_path: Path) -> None:
    home = planted(tmp_path)
    path = tmp_path / ".zsh_history"
    before = path.read_bytes()
    values = [each.value.encode() for each in home.canaries if each.path == ".zsh_history"]
    assert "日本".encode() not in before and "日本".encode() in _as_zsh_reads(before)
    assert sum(value in _as_zsh_reads(before) for value in values) >= 2
    scrub(path)
    expected = _as_zsh_reads(before)
    for value in values:
        expected = expected.replace(value, shown(value))
    after = _as_zsh_reads(path.read_bytes())
    assert "日本".encode() in after and holds(after, values) == []
    # what is written as it is has changed in its value alone; one value is in pieces, over two lines
    changed = [line for line in after.split(b"\n") if line not in expected.split(b"\n")]
    assert len(changed) <= 2 and after.count(b"\n") == before.count(b"\n")


BASH = 'HISTFILE=$1; HISTTIMEFORMAT="%s "; shopt -s cmdhist lithist; set -o history; history -c; history -r; history'


def test_bash_reads_its_history_with_times_back(tmp_path: Path) -> None:
    """Written by bash itself, and read by it: the same commands at the same times, one of them over lines."""
    program = shutil.which("bash")
    if program is None:
        assert not os.environ.get("CI"), "bash must be installed here"
        pytest.skip("bash is not installed")

    def read() -> list[str]:
        done = subprocess.run([program, "-c", BASH, "bash", path], capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    home = planted(tmp_path)
    path = tmp_path / ".bash_history"
    values = [each.value for each in home.canaries if each.path == ".bash_history"]
    before, times = read(), [line for line in path.read_text().splitlines() if line.startswith("#")]
    assert len(values) >= 2 and len(times) >= 3 and all(value in "\n".join(before) for value in values)
    result = plain(tmp_path).scrub(str(path), redactor(), Style.TOKEN)
    assert sum(result.before.values()) == len(values) and not result.after
    expected = "\n".join(before)
    for value in values:
        expected = expected.replace(value, shown(value.encode()).decode())
    assert "\n".join(read()) == expected
    assert [line for line in path.read_text().splitlines() if line.startswith("#")] == times


def test_vim_reads_its_lengths_back(tmp_path: Path) -> None:
    planted(tmp_path)
    path = tmp_path / ".viminfo"
    before = path.read_bytes()
    scrub(path)
    assert len(path.read_bytes()) == len(before)


def test_a_transcript_that_is_still_written_keeps_its_inode_and_length(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    path.write_text(f'{{"a":"{VALUE.decode()}"}}\n')
    code = "import sys\nwith open(sys.argv[1], 'ab', 0) as f:\n print('open', flush=True)\n sys.stdin.readline()\n f.write(b'{}\\n')\n"
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdin is not None and writer.stdout is not None
        assert writer.stdout.readline() == "open\n"
        status = path.stat()
        planned = plan(path)
        assert planned.treatment is Treatment.OVERWRITE and "python" in planned.remarks[0]
        result = store(path).scrub(str(path), redactor(), Style.TOKEN)
        writer.stdin.write("\n")
        writer.stdin.flush()
        assert writer.wait(20) == 0
    assert dict(result.after) == {} and not result.left
    after = path.stat()
    assert after.st_ino == status.st_ino and after.st_size == status.st_size + 3
    first, second = path.read_bytes().splitlines()
    assert json.loads(first)["a"].startswith("[redacted:") and second == b"{}"


def test_agents_files_parse_as_before(tmp_path: Path) -> None:
    home = Home(tmp_path)
    agents.plant(home)
    checked = 0
    for each in home.canaries:
        path = tmp_path / each.path
        if each.opaque or not each.path.endswith((".jsonl", ".json")) or VALUE.decode() in each.value:
            continue
        before = path.read_bytes()
        if each.value.encode() not in before:
            continue
        scrub(path)
        name = f"[redacted:{KIND}:{PSEUDONYMS.of(each.value.encode())}]".encode()
        assert path.read_bytes() == before.replace(each.value.encode(), name), each.path
        checked += 1
    assert checked > 40


def test_nothing_is_written_where_nothing_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1}\n')
    status = os.stat(path)
    result = store(path).scrub(str(path), redactor(), Style.TOKEN)
    assert (dict(result.before), dict(result.after), os.stat(path)) == ({}, {}, status)


def test_an_interrupted_overwriting_is_finished(tmp_path: Path) -> None:
    """Two names lead to it, so that it is overwritten; the journal says what was begun."""
    path, folder = tmp_path / "session.jsonl", str(tmp_path / "journals")
    path.write_text(f'{{"a":"{VALUE.decode()}","b":"{token(2).decode()}"}}\n')
    os.link(path, tmp_path / "other")
    with OpenFile(str(path), write=True) as file:
        found = find(file, redactor())
        with pytest.raises(KeyboardInterrupt):
            overwrite(file, found.spans, PSEUDONYMS, journals=folder, fences=(_Interrupted(),))
    assert token(2) in path.read_bytes()
    scrubber = store(path)
    assert scrubber.plan(str(path), redactor(), Style.TOKEN).treatment is Treatment.OVERWRITE
    result = scrubber.scrub(str(path), redactor(), Style.TOKEN)
    assert dict(result.after) == {} and holds(path.read_bytes(), [VALUE, token(2)]) == []
    assert json.loads(path.read_bytes()).keys() == {"a", "b"} and path.stat().st_nlink == 2
    assert os.listdir(folder) == []


class _Interrupted:
    """After the first occurrence was written."""

    def before(self, call: Call) -> None:
        pass

    def after(self, call: Call, outcome: str) -> None:
        if call.what == "write" or "occurrence" in call.what or call.what == "overwrite":
            raise KeyboardInterrupt


def test_a_link_is_not_followed_and_a_file_without_rights_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a":"' + VALUE + b'"}\n')
    link = tmp_path / "b.jsonl"
    link.symlink_to(path)
    with pytest.raises(Refusal, match="symbolic link"):
        store(link).scrub(str(link), redactor(), Style.TOKEN)
    assert VALUE in path.read_bytes()


def test_a_text_larger_than_memory_allows_goes_window_by_window(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    line = b"2026-01-01 03:04:05 INFO nothing to see here\n" * 100
    path.write_bytes(line + b"\x1b[36mtoken\x1b[39m " + VALUE[:9] + b"\x1b[22m" + VALUE[9:] + b"\n" + line)
    scrubber = WholeFiles("log", lambda path, head: True, pseudonyms=PSEUDONYMS, journals=str(tmp_path), large=4096)
    assert scrubber.plan(str(path), redactor(), Style.TOKEN).treatment is Treatment.REPLACE
    result = scrubber.scrub(str(path), redactor(), Style.TOKEN)
    assert (dict(result.after), result.left) == ({}, ())
    after = path.read_bytes()
    assert after.startswith(line + b"\x1b[36mtoken\x1b[39m [redacted") and after.endswith(b"\n" + line)
    assert VALUE[9:] not in after and b"\x1b[22m" in after
