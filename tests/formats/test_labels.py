"""Labels: what a person calls a place, and since when it stands there."""

from __future__ import annotations

import io
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests_support import token

from keyward.formats.labelling.moments import moment, moment_in
from keyward.formats.labels import LONGEST, Label, locate

KEY = token(1).decode()
EPOCH = 1_767_323_045
"""2026-01-02 03:04:05 UTC."""
ISO = "2026-01-02T03:04:05.000Z"


def at(name: str, content: str | bytes, value: str = KEY) -> Label:
    """The label of each place of the value, which must all be alike."""
    data = content if isinstance(content, bytes) else content.encode()
    offsets = []
    place = data.find(value.encode())
    while place >= 0:
        offsets.append(place)
        place = data.find(value.encode(), place + 1)
    assert offsets
    found = locate(name, io.BytesIO(data), offsets)
    assert len(found) == len(offsets) and len(set(found)) == 1
    return found[0]


HAR = {
    "log": {
        "entries": [
            {
                "startedDateTime": ISO,
                "request": {"url": "x", "headers": [{"name": "Authorization", "value": f"token {KEY}"}]},
                "response": {},
            }
        ]
    }
}
CHATGPT = [
    {
        "title": "Deploying",
        "create_time": 1.0,
        "mapping": {
            "root": {"message": None},
            "a1": {"message": {"author": {"role": "user"}, "create_time": EPOCH + 0.5, "content": {"parts": ["it is " + KEY]}}},
        },
    }
]
CLAUDE = [
    {
        "name": "Keys",
        "chat_messages": [
            {"sender": "human", "text": "hello"},
            {
                "sender": "human",
                "created_at": ISO,
                "text": "",
                "attachments": [{"file_name": "env.txt", "extracted_content": KEY}],
            },
        ],
    }
]
STATE = {
    "cookies": [{"name": "session", "value": KEY, "domain": ".example.org", "path": "/"}],
    "origins": [],
}
LOCAL = {
    "cookies": [],
    "origins": [{"origin": "https://example.org", "localStorage": [{"name": "auth", "value": KEY}]}],
}
TOOL_USE = {"type": "tool_use", "name": "Bash", "input": {"command": f"export T={KEY}"}}
CLAUDE_CODE = [
    {"type": "user", "message": {"role": "user", "content": f"use {KEY}"}, "timestamp": ISO},
    {"type": "assistant", "message": {"role": "assistant", "content": [TOOL_USE]}, "timestamp": ISO},
    {"type": "user", "message": {"role": "user", "content": [{"type": "tool_result", "content": KEY}]}, "timestamp": ISO},
]
CODEX = [
    {
        "timestamp": ISO,
        "type": "response_item",
        "payload": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": KEY}]},
    },
    {"timestamp": ISO, "type": "response_item", "payload": {"type": "function_call", "name": "shell", "arguments": KEY}},
    {"timestamp": ISO, "type": "response_item", "payload": {"type": "function_call_output", "output": KEY}},
]
OPENCLAW = {
    "type": "message",
    "timestamp": ISO,
    "message": {"role": "toolResult", "toolName": "exec", "content": [{"type": "text", "text": KEY}]},
}
NOTEBOOK = {"cells": [{"cell_type": "code", "source": ["x"], "outputs": [{"text": [KEY]}]}], "nbformat": 4}


@pytest.mark.parametrize(
    "name, content, where, since",
    [
        ("notes.md", f"# Setup\n\n## Keys\n\n{KEY}\n# Other\n", 'under "Setup › Keys"', 0),
        ("notes.md", f"# Setup\n```sh\n# no heading\n{KEY}\n```\n", 'under "Setup"', 0),
        ("notes.md", f"---\ntitle: x\n---\nSetup\n=====\nKeys\n----\n{KEY}\n", 'under "Setup › Keys"', 0),
        ("notes.md", f"## A\n# [B](http://x) `c` #\n{KEY}\n", 'under "B c"', 0),
        (".aider.chat.history.md", f"# aider chat started at 2026-01-02 03:04:05\n\n#### {KEY}\n", None, EPOCH),
        ("a.json", json.dumps({"mcpServers": {"github": {"env": {"TOKEN": KEY}}}}), "mcpServers.github.env.TOKEN", 0),
        ("a.json", json.dumps({"日": {"b.c": [0, KEY]}}, ensure_ascii=False), '日."b.c".1', 0),
        ("openclaw.json", "{ // a comment\n env: { TOKEN: '" + KEY + "', }, }", "env.TOKEN", 0),
        ("conversations.json", json.dumps(CHATGPT), '"Deploying", message 2 (user)', EPOCH + 0.5),
        ("conversations.json", json.dumps(CLAUDE), '"Keys", message 2 (human), attachment env.txt', EPOCH),
        ("a.har", json.dumps(HAR), "entry 1 request header Authorization", EPOCH),
        ("storage_state.json", json.dumps(STATE), "cookie session of .example.org", 0),
        ("storage_state.json", json.dumps(LOCAL), "https://example.org localStorage auth", 0),
        ("a.ipynb", json.dumps(NOTEBOOK), "cell 1, output", 0),
        ("x.jsonl", json.dumps(CLAUDE_CODE[0]), "line 1, message (user)", EPOCH),
        ("x.jsonl", '{"a":1}\n' + json.dumps(CLAUDE_CODE[1]), "line 2, tool call Bash (assistant)", EPOCH),
        ("x.jsonl", json.dumps(CLAUDE_CODE[2]), "line 1, tool result", EPOCH),
        ("rollout.jsonl", json.dumps(CODEX[0]), "line 1, message (user)", EPOCH),
        ("rollout.jsonl", json.dumps(CODEX[1]), "line 1, tool call shell", EPOCH),
        ("rollout.jsonl", json.dumps(CODEX[2]), "line 1, tool result", EPOCH),
        ("s.jsonl.reset.2026", json.dumps(OPENCLAW), "line 1, tool result exec", EPOCH),
        ("session.json", json.dumps({"messages": [{"type": "gemini", "content": KEY, "timestamp": ISO}]}),
         "message 1 (gemini)", EPOCH),
        ("history.jsonl", json.dumps({"display": KEY, "timestamp": EPOCH * 1000}), "line 1, display", EPOCH),
        ("broken.jsonl", f'{{"a":1}}\n{{"b": "{KEY}\n', "line 2", 0),
        (".bash_history", f"ls\n#{EPOCH}\ncat <<E\n{KEY}\nE\n#{EPOCH + 9}\nls\n", "entry 1", EPOCH),
        (".zsh_history", f": 1700000000:0;ls\n: {EPOCH}:0;cat <<E\\\n{KEY}\\\nE\n", "entry 2", EPOCH),
        ("fish_history", f"- cmd: ls\n  when: 1700000000\n- cmd: x {KEY}\n  when: {EPOCH}\n", "entry 2", EPOCH),
        ("app.log", f"2026-01-02 03:04:05,000 INFO token {KEY}\n", "", EPOCH),
        ("app.log.3", f"2026-01-02T04:04:05+01:00 ERROR\n  at x\n  {KEY}\n", "", EPOCH),
        ("access.log", f'::1 - - [02/Jan/2026:03:04:05 +0000] "GET /?t={KEY}"\n', "", EPOCH),
        ("abc-json.log", f'{{"log":"{KEY}\\n","stream":"stderr","time":"{ISO}"}}\n', "stderr", EPOCH),
        ("gateway.log", json.dumps({"0": "x", "2": KEY, "time": ISO}), "2", EPOCH),
        ("t.csv", f'name,note\nx,"a, b"\nme,"key, {KEY}"\n', 'row 3, column "note"', 0),
        ("cookies.txt", f"# Netscape HTTP Cookie File\n#HttpOnly_.a.org\tTRUE\t/\tTRUE\t0\tsid\t{KEY}\n", "cookie sid of .a.org", 0),
        (".env", f"A=1\nTOKEN='{KEY}'\n", "TOKEN", 0),
        (".env", f'A=1\nKEYS="x\n{KEY}\n"\n', "KEYS", 0),
        (".bashrc", f"# x\nexport TOKEN={KEY}\n", "export TOKEN", 0),
        ("config.fish", f"set -gx TOKEN {KEY}\n", "export TOKEN", 0),
        ("credentials", f"[default]\nx = 1\n[work]\ntoken = {KEY}\n", "work.token", 0),
        ("config.toml", f'[mcp_servers.gh.env]\nTOKEN = "{KEY}"\n', "mcp_servers.gh.env.TOKEN", 0),
        ("hosts.yml", f"github.com:\n    user: me\n    oauth_token: {KEY}\n", '"github.com".oauth_token', 0),
        (".netrc", f"machine github.com\n  login me\n  password {KEY}\n", "machine github.com", 0),
        ("unknown.bin", f"\0\1 {KEY}", "", 0),
    ],
)  # fmt: skip
def test_labels(name: str, content: str, where: str | None, since: float) -> None:
    found = at(name, content)
    assert found.since == pytest.approx(since)
    if where is not None:
        assert found.where == where


def test_a_name_in_capitals_or_in_a_folder() -> None:
    assert at("/h/Docs/Setup.MD", f"# A\n{KEY}").where == 'under "A"'


@pytest.mark.parametrize(
    "name, content",
    [
        ("a.md", f"# the key {KEY} is old\n\nagain {KEY}\n"),
        ("a.json", json.dumps({KEY: KEY})),
        ("a.json", json.dumps([{"title": KEY, "mapping": {"x": {"message": {"author": {"role": KEY}, "t": KEY}}}}])),
        ("x.jsonl", json.dumps({"type": "tool_use", "name": KEY, "input": KEY})),
        ("t.csv", f"{KEY},b\n{KEY},\n"),
        ("cookies.txt", f"{KEY}\tTRUE\t/\tTRUE\t0\t{KEY}\t{KEY}\n"),
        (".env", f"{KEY}={KEY}\n"),
    ],
)
def test_no_label_holds_a_value(name: str, content: str) -> None:
    data = content.encode()
    offsets = [n for n in range(len(data)) if data.startswith(KEY.encode(), n)]
    for label in locate(name, io.BytesIO(data), offsets):
        assert KEY[4:20] not in label.where


def test_a_word_that_was_found_as_a_password_is_hidden() -> None:
    data = b"# login correcthorse please\n\npassword: correcthorse\n"
    found = locate("a.md", io.BytesIO(data), [data.rindex(b"correct")])
    assert found[0].where == 'under "login … please"'


def test_long_and_hostile_titles() -> None:
    found = at("a.md", "# " + "\x1b[31m\u202e long title " * 500 + f"\n{KEY}")
    assert len(found.where) <= LONGEST and "\x1b" not in found.where


@pytest.mark.parametrize(
    "name",
    ["a.md", "a.json", "a.jsonl", "a.yml", "a.toml", ".env", "a.ini", "a.csv", "app.log", ".zsh_history", "fish_history", "x"],
)
@settings(max_examples=40, deadline=None)
@given(data=st.binary(max_size=200), places=st.lists(st.integers(0, 220), max_size=5))
def test_never_raises(name: str, data: bytes, places: list[int]) -> None:
    assert len(locate(name, io.BytesIO(data), sorted(places))) == len(places)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 50_000, '[{"a":[' * 20_000])
def test_a_document_that_is_nested_too_deep(text: str) -> None:
    assert len(locate("a.json", io.BytesIO(text.encode()), [len(text) - 1])) == 1


def test_blocks_of_a_long_file() -> None:
    """A file of lines is labelled to its end, block after block."""
    lines = [json.dumps({"role": "user", "content": f"{number} {token(number).decode()}"}) for number in range(500)]
    data = "\n".join(lines).encode()
    offsets = [data.index(b"ghp_", data.index(b'"%d ghp_' % number)) for number in range(500)]
    found = locate("x.jsonl", io.BytesIO(data), offsets, block=8192)
    assert [label.where for label in found] == [f"line {n}, message (user)" for n in range(1, 501)]


def test_many_findings_in_a_long_file_are_labelled_quickly() -> None:
    """Not a pass over the file for each finding: 2,000 of them in 10 MB, in each of the formats."""
    for name, line in (
        ("x.jsonl", '{"role":"user","content":"%s"}' % ("word " * 1000)),
        ("a.md", "# heading\n" + "word " * 1000),
        (".zsh_history", ": 1700000000:0;" + "word " * 1000),
        ("app.log", "2026-01-02 03:04:05 " + "word " * 1000),
    ):
        data = ("\n".join([line] * 2000)).encode()
        offsets = [index * (len(line) + 1) + len(line) // 2 for index in range(2000)]
        begin = time.process_time()
        assert len(locate(name, io.BytesIO(data), offsets)) == 2000
        assert time.process_time() - begin < 10


def test_moments() -> None:
    assert moment(EPOCH) == moment(EPOCH * 1000) == moment(str(EPOCH)) == moment(ISO) == EPOCH
    assert moment("2026-01-02T03:04:05+02:00") == EPOCH - 7200
    assert moment(5) == moment("x") == moment(None) == moment(True) == moment("2026-13-02T03:04:05Z") == 0
    assert moment_in("Jan  2 03:04:05 host sudo: x", now=EPOCH + 99) == EPOCH
    assert moment_in("Dec 31 03:04:05 host sudo: x", now=EPOCH) == EPOCH - 2 * 86400
