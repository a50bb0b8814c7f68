"""A drill from its folder to its exit code: whatever happens, servers end and, unless it is kept, nothing stays behind."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from keyward.testing.drill.play import Drill
from keyward.testing.drill.scenarios import Scenario
from keyward.testing.drill.stage import DrillFailed
from keyward.testing.servers.process import ServerFailed, ServerMissing

CLOSED, LEFT, MISSING, INTERRUPTED = 0, 1, 2, 130


def run_drill(
    scenario: Scenario, *, keep: bool = False, report: str = "", verbose: bool = False, out: TextIO | None = None
) -> int:
    """0: the loop is closed. 1: something is left, or a command ended otherwise than it should. 2: a server is not installed. 130:
    interrupted. `keep`: whether the folder stays, and on a terminal the servers until Enter is pressed. `report`: where the report goes."""
    out = out or sys.stdout
    with drill_folder(keep) as root, _signals():
        try:
            with Drill(scenario, root, out=out, verbose=verbose) as drill:
                print(f"{scenario.title}: a breach on servers of its own. Nothing of yours is touched.", file=out, flush=True)
                drill.play()
                code = _verdict(drill, out)
                _hand_over(drill, report, out)
                if keep:
                    _wait(drill, out)
                return code
        except KeyboardInterrupt:
            return _said("interrupted; the servers are stopped", INTERRUPTED)
        except DrillFailed as error:
            return _said(str(error), LEFT)
        except ServerFailed as error:
            return _said(f"a server did not start: {error}", LEFT)
        except ServerMissing as error:
            return _said(f"{error}\n  All that a drill needs: pip install 'keyward-secrets[demo]'", MISSING)
        except Exception as error:  # a driver's text may quote a statement, and so a password
            return _said(f"{type(error).__name__} at {_place(error)}", LEFT)


def _verdict(drill: Drill, out: TextIO) -> int:
    if not drill.problems:
        print("\nThe loop is closed: every old key is dead, every new one works, no echo is left, every store reads.", file=out)
        return CLOSED
    print(f"\n{len(drill.problems)} things are left:", file=out)
    for each in drill.problems:
        print(f"  {drill.stage.short(each)}", file=out)
    return LEFT


def _hand_over(drill: Drill, report: str, out: TextIO) -> None:
    """The report survives its folder where somebody wants it."""
    made = next((path for path in drill.reports if path.endswith(".html")), "")
    if report and made:
        shutil.copyfile(made, report)
        print(f"The report to open: {os.path.abspath(report)}", file=out)


def _wait(drill: Drill, out: TextIO) -> None:
    """Leaves what one needs to look around; on a terminal the servers run on until Enter is pressed."""
    drill.stage.write_transcript(os.path.join(drill.machine.work, "transcript.txt"))
    variables = os.path.join(drill.machine.work, "environment.sh")
    with open(os.open(variables, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.writelines(f"export {name}='{value}'\n" for name, value in drill.machine.variables.items())
    print(f"\nKept: {drill.root}\n  the operator's folder: cd {drill.machine.work} && . ./environment.sh", file=out, flush=True)
    if sys.stdin.isatty():
        print("The servers run until you press Enter.", file=out, flush=True)
        sys.stdin.readline()


@contextmanager
def drill_folder(keep: bool) -> Iterator[str]:
    """The drill's folder, in which every server and every command keeps its temporary files: one removal is enough."""
    root = os.path.realpath(tempfile.mkdtemp(prefix="keyward-drill-"))
    kept = {name: os.environ.pop(name) for name in list(os.environ) if _is_somebodys(name)}
    before, temporary = os.environ.get("TMPDIR"), tempfile.tempdir
    try:
        os.chmod(root, 0o711)  # a server that is not root passes through
        servers = os.path.join(root, "servers")
        os.mkdir(servers, 0o711)
        tempfile.tempdir = os.environ["TMPDIR"] = servers
        yield root
    finally:
        tempfile.tempdir = temporary
        os.environ.update(kept)
        if before is None:
            os.environ.pop("TMPDIR", None)
        else:
            os.environ["TMPDIR"] = before
        shutil.rmtree(os.path.join(root, "servers") if keep else root, ignore_errors=True)


def _is_somebodys(name: str) -> bool:
    """Nobody's own AWS profile, database, vault or web proxy has a part in it."""
    return name.startswith(("AWS_", "PG", "BAO_", "VAULT_", "TENCENTCLOUD_")) or name.lower().endswith("_proxy")


@contextmanager
def _signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end it as Ctrl-C does; while it cleans up, nothing does."""
    signs = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {each: signal.getsignal(each) for each in signs}
    for each in signs[1:]:
        signal.signal(each, _interrupt)
    try:
        yield
    finally:
        for each in signs:
            signal.signal(each, before[each])


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _place(error: BaseException) -> str:
    """Where it came from, in keyward's own code as far as possible."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "keyward" in frame.filename] or frames
    return f"{os.path.basename(own[-1].filename)}:{own[-1].lineno}"


def _said(text: str, code: int) -> int:
    print(f"\nkeyward drill: {text}", file=sys.stderr, flush=True)
    return code
