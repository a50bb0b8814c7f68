"""`verify`, `explain` and `scan --verify`, against a GitLab of the operator's own on loopback."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from keyward.cli.exits import exit_code
from keyward.model.finding import Finding, Outcome, Stats
from keyward.model.kind import Kind
from keyward.model.verdict import Dead, Evidence, Live, Restricted, Unknown, Verdict
from keyward.plugin.shapes import b64url, concat

Keyward = Callable[..., Any]
GOOD, BAD = (concat("glpat-", b64url(20)).sample(number).text.decode() for number in (1, 2))
COMMANDS = """
import sys, typer
from keyward.cli import explain, verify
app = typer.Typer()
app.command("verify")(verify.verify)
app.command("explain")(explain.explain)
sys.exit(app(sys.argv[1:], standalone_mode=False))
"""


class Result(NamedTuple):
    code: int
    out: str
    err: str


class GitLab:
    """Answers one token well and refuses all others."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                token = self.headers.get("private-token", "")
                asked.append(self.path)
                mine = {
                    "id": 7,
                    "user_id": 1,
                    "active": True,
                    "revoked": False,
                    "scopes": ["read_api"],
                    "expires_at": "2030-01-01",
                }
                body = json.dumps(mine if token == GOOD else {"message": "401 Unauthorized"}).encode()
                self.send_response(200 if token == GOOD else 401)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    running = GitLab()
    yield running
    running.server.shutdown()
    running.server.server_close()


@pytest.fixture
def config(gitlab: GitLab, tmp_path: Path) -> str:
    path = tmp_path / "operator.toml"
    path.write_text(f'[providers.gitlab]\nbase_url = "http://127.0.0.1:{gitlab.server.server_port}"\n')
    path.chmod(0o600)
    return str(path)


@pytest.fixture
def project(environment: None, tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / ".env").write_text(f"GITLAB_TOKEN={GOOD}\n")
    (folder / "notes.md").write_text(f"the token was {GOOD}\nand before {BAD}\n")
    return folder


@pytest.fixture
def report(keyward: Keyward, project: Path) -> Path:
    """A report as another command reads it, made in the project's folder."""
    assert keyward("scan", "--format", "jsonl", "-o", "report.jsonl", "--quiet", cwd=project).code == 1
    return project / "report.jsonl"


def run(*words: str, cwd: Path, stdin: str = "") -> Result:
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS, *words],
        cwd=cwd,
        input=stdin.encode(),
        capture_output=True,
        env=dict(os.environ),
        timeout=120,
    )
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


def fingerprint(report: Path, line: int) -> str:
    found = [json.loads(each) for each in report.read_text().splitlines()]
    return str(
        next(each["fingerprint"] for each in found if each.get("path", "").endswith("notes.md") and each["line"] == line)
    )


def test_a_scan_that_verifies_ends_with_10(keyward: Keyward, project: Path, config: str, gitlab: GitLab) -> None:
    result = keyward("scan", ".", "--verify", "--config", config, "--format", "jsonl", cwd=project)
    assert result.code == 10, result.err
    states = {each["verdict"]["state"] for each in result.findings}
    assert states == {"live", "dead"} and len(gitlab.asked) == 2
    assert GOOD not in result.out and BAD not in result.out


def test_ctrl_c_ends_it_at_once(keyward: Keyward, project: Path, tmp_path: Path) -> None:
    keyward("scan", ".", "--quiet", cwd=project)  # compiles the rules, if nobody has yet
    with socket.create_server(("127.0.0.1", 0)) as silent:
        path = tmp_path / "silent.toml"
        path.write_text(f'[providers.gitlab]\nbase_url = "http://127.0.0.1:{silent.getsockname()[1]}"\n')
        path.chmod(0o600)
        words = [os.path.join(os.path.dirname(sys.executable), "keyward"), "scan", ".", "--verify", "--config", str(path)]
        running = subprocess.Popen(words, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        silent.settimeout(60)
        silent.accept()  # it is asking
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=5)
    assert running.returncode == 130 and b"Traceback" not in err and GOOD.encode() not in out + err


@pytest.mark.parametrize(
    ("verdict", "code"),
    [
        (None, 1),
        (Live(Evidence("p", "h", "200", 1.0)), 10),
        (Restricted(Evidence("p", "h", "403", 1.0)), 10),
        (Dead(Evidence("p", "h", "401", 1.0)), 1),
        (Unknown("why"), 1),
    ],
)
def test_the_exit_code_of_a_verdict(verdict: Verdict | None, code: int) -> None:
    place = Finding("kw1_a", Kind("x/y"), "x/y", "high", 80, "…", "", (), (), (), verdict)
    assert exit_code(Outcome((place,), (), (), (), Stats(1, 1, 0.1), "salt"), strict=False) == code


def test_a_report_is_verified_from_the_places_that_it_names(report: Path, config: str, gitlab: GitLab) -> None:
    result = run("verify", str(report), "--config", config, cwd=report.parent)
    assert result.code == 10, result.err
    lines = result.out.splitlines()
    assert lines[1].startswith("LIVE") and "user 1, until 2030-01-01; may read_api" in lines[1]
    assert lines[2].startswith("DEAD") and "127.0.0.1 said 401" in lines[2]
    assert GOOD not in result.out and len(gitlab.asked) == 2


def test_one_fingerprint_of_a_report_as_json(report: Path, config: str, gitlab: GitLab) -> None:
    dead = fingerprint(report, 2)
    result = run("verify", dead, "--report", str(report), "--config", config, "--format", "json", cwd=report.parent)
    assert result.code == 0, result.err
    (told,) = json.loads(result.out)["credentials"]
    assert (told["fingerprint"], told["verdict"]["state"]) == (dead, "dead") and len(gitlab.asked) == 1


def test_a_value_on_standard_input(project: Path, config: str) -> None:
    result = run("verify", "-", "--kind", "gitlab/access-token", "--config", config, cwd=project, stdin=GOOD + "\n")
    assert result.code == 10 and "LIVE" in result.out and GOOD not in result.out + result.err


def test_what_is_gone_is_unknown(report: Path, config: str, gitlab: GitLab) -> None:
    (report.parent / ".env").unlink()
    (report.parent / "notes.md").unlink()
    result = run("verify", str(report), "--config", config, cwd=report.parent)
    assert result.code == 3 and result.out.count("UNKNOWN") == 2 and "Scan again" in result.out and gitlab.asked == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("verify", "-"), "does not say what it is"),
        (("verify", "kw1_" + "a" * 26), "looked up in a report"),
        (("verify", "kw1_" + "a" * 26, "--report", "report.jsonl"), "has no finding"),
        (("verify", "report.jsonl", "--kind", "x/y"), "--kind goes with -"),
        (("verify", "report.jsonl", "--format", "xml"), "there is no format"),
        (("explain", "kw1_zzz", "--report", "report.jsonl"), "no finding has the fingerprint"),
        (("explain", "kw1_zzz", "src", "--report", "report.jsonl"), "takes no paths"),
    ],
)
def test_what_is_wrong_is_said(report: Path, words: tuple[str, ...], said: str) -> None:
    result = run(*words, cwd=report.parent)
    assert result.code != 0 and said in result.err


def test_all_that_is_known_of_one_secret(report: Path, config: str) -> None:
    live = fingerprint(report, 1)
    result = run("explain", live, "--report", str(report), "--verify", "--config", config, cwd=report.parent)
    assert result.code == 0, result.err
    for said in (
        "LIVE",
        "account: user 1",
        "may: read_api",
        ".env:1",
        "notes.md:1",
        "% sure",
        "What to do",
        "Update what reads it",
    ):
        assert said in result.out, said
    assert GOOD not in result.out


def test_an_explanation_as_json_from_a_scan_of_its_own(project: Path, report: Path) -> None:
    live = fingerprint(report, 1)
    report.unlink()
    result = run("explain", live[:14], ".", "--format", "json", cwd=project)
    assert result.code == 0, result.err
    told = json.loads(result.out)
    assert told["fingerprint"] == live and told["verdict"] == {}
    assert {place["name"] for place in told["places"]} == {".env", "notes.md"}
    assert sum(signal["weight"] for signal in told["signals"]) > 0 and told["what_to_do"]


def test_what_a_report_says_cannot_command_a_terminal(report: Path) -> None:
    live = fingerprint(report, 1)
    evil = "\\u001b[2K::add-mask::x"
    report.write_text(
        report.read_text().replace('"masked": "', f'"masked": "{evil}').replace('"masked":"', f'"masked":"{evil}')
    )
    result = run("explain", live, "--report", str(report), cwd=report.parent)
    assert result.code == 0 and "\x1b" not in result.out and "::add-mask::" not in result.out
