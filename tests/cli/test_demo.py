"""`make demo`, run whole: what it shows is true, no value is shown, and nothing is left behind."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from keyward.testing.demo.__main__ import INTERRUPTED, MISSING
from keyward.testing.demo.stage import DIGESTS, masked

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "keyward.testing.demo")
SECRETS = 9
"""Values that the demonstration plants or gets."""


class Digest(NamedTuple):
    """`public`: a value that may be shown, and is: who does not find it would not find the others."""

    name: str
    length: int
    sha256: str

    @property
    def public(self) -> bool:
        return self.name.startswith("public-")


def read_digests(path: Path) -> list[Digest]:
    lines = (line.split() for line in path.read_text().splitlines())
    return [Digest(name, int(length), sha256) for name, length, sha256 in lines]


def shown(digest: Digest, text: bytes) -> bool:
    """Whether the value behind a digest stands anywhere in a text."""
    windows = {text[at : at + digest.length] for at in range(len(text) - digest.length + 1)}
    return any(hashlib.sha256(window).hexdigest() == digest.sha256 for window in windows)


@pytest.fixture
def scratch() -> Iterator[Path]:
    """Where the demonstration keeps its temporary files; open to a server that is not root."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o711)
        yield Path(folder)


def processes_of(scratch: Path) -> list[str]:
    """Processes that were started with this folder for their temporary files."""
    wanted = f"TMPDIR={scratch}".encode()
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (each / "environ").read_bytes():
                found.append((each / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue  # ended meanwhile, or somebody else's
    return found


def skip_if_missing(code: int, said: str) -> None:
    if code == MISSING:
        if os.environ.get("CI"):
            pytest.fail(said)
        pytest.skip(said.strip().splitlines()[-1])


def with_scratch(scratch: Path) -> Mapping[str, str]:
    return {**os.environ, "TMPDIR": str(scratch)}


def test_both_leaked_credentials_end_dead_and_no_value_is_shown(environment: None, scratch: Path, tmp_path: Path) -> None:
    digests = tmp_path / "digests"
    done = subprocess.run(
        COMMAND, cwd=ROOT, env={**with_scratch(scratch), DIGESTS: str(digests)}, capture_output=True, timeout=300, check=False
    )
    out, err = done.stdout.decode(), done.stderr.decode()
    skip_if_missing(done.returncode, err)
    assert done.returncode == 0, out + err

    for server in ("AWS", "PostgreSQL"):
        assert re.search(rf"^{server} +old +\S+ +DEAD ", out, re.M), out
        assert re.search(rf"^{server} +new +\S+ +ALIVE ", out, re.M), out
    for command in (
        "scan",
        "scan shop --format jsonl",
        "lanes adopt",
        "plan --leaked",
        "rotate --leaked",
        "audit show",
        "audit verify",
    ):
        assert f"$ keyward {command}" in out
    assert re.search(r"^7 made$", out, re.M), "what the lane needed was made"
    assert "shop/aws: proved" in out and "shop/database: proved" in out
    assert re.search(r"^    \+ AWS_SECRET_ACCESS_KEY=….. \(40\)$", out, re.M), "the new file is shown, masked"
    assert re.search(r"entries, whole;", out)
    assert "shop/aws: REVOKE" in err, "what goes on is told"

    recorded = read_digests(digests)
    assert len([each for each in recorded if not each.public]) == SECRETS
    assert len({each.sha256 for each in recorded}) == len(recorded), "old and new differ"
    for text in (done.stdout, done.stderr):
        assert [each.name for each in recorded if not each.public and shown(each, text)] == []
    assert any(shown(each, done.stdout) for each in recorded if each.public), "the search itself finds what is shown"

    assert list(scratch.iterdir()) == []
    assert processes_of(scratch) == []


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_nothing_behind(environment: None, scratch: Path, sign: signal.Signals) -> None:
    child = subprocess.Popen(
        COMMAND, cwd=ROOT, env=with_scratch(scratch), stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    assert child.stdout is not None
    line = b""
    for line in child.stdout:
        if line.startswith(b"$ keyward lanes adopt"):  # all servers run, and a command too
            break
    else:
        _, said = child.communicate(timeout=60)
        skip_if_missing(child.returncode, said.decode())
        pytest.fail(said.decode())
    assert len(processes_of(scratch)) > 3
    if sign is signal.SIGINT:
        os.killpg(child.pid, sign)  # as a terminal does
    else:
        child.send_signal(sign)
    _, said = child.communicate(timeout=60)
    assert child.returncode == INTERRUPTED, said.decode()
    assert b"Traceback" not in said
    assert list(scratch.iterdir()) == []
    deadline = time.monotonic() + 10
    while processes_of(scratch) and time.monotonic() < deadline:
        time.sleep(0.02)  # the kernel ends what the demonstration had started
    assert processes_of(scratch) == []


def test_a_line_is_masked_by_its_form_alone() -> None:
    word = b"never-seen-before-%d" % os.getpid()
    for line in (b"AWS_SECRET_ACCESS_KEY=" + word, b"      U: postgresql://shop_a:" + word + b"@127.0.0.1:5432/x"):
        assert word.decode() not in masked(line) and masked(line).split("…")[0].encode() in line
