"""`python -m keyward.testing.demo`: both acts, in a temporary folder that is gone at the end, also after Ctrl-C."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
import traceback

from keyward.testing.demo.rotating import rotating
from keyward.testing.demo.scanning import scanning
from keyward.testing.demo.stage import DemoFailed, Stage
from keyward.testing.servers.process import ServerFailed, ServerMissing

FAILED, MISSING, INTERRUPTED = 1, 2, 130


def main() -> int:
    """0: all was as it should be. 1: something was not. 2: a server is not installed. 130: interrupted."""
    for sign in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, _interrupt)
    begun = time.monotonic()
    _forget_this_machine()
    # every server and every command keeps its temporary files in here, so that one removal is enough
    root = os.path.realpath(tempfile.mkdtemp(prefix="keyward-demo-"))
    try:
        os.chmod(root, 0o711)  # a server that is not root passes through
        tempfile.tempdir = os.environ["TMPDIR"] = root
        stage = Stage(root, {})
        scanning(stage)
        rotating(stage)
    except KeyboardInterrupt:
        return _said("interrupted; the servers are stopped and their folders are gone", INTERRUPTED)
    except DemoFailed as error:
        return _said(str(error), FAILED)
    except ServerFailed as error:
        return _said(f"a server did not start: {error}", FAILED)
    except ServerMissing as error:
        return _said(f"the second half needs servers that `make demo` installs: {error}", MISSING)
    except Exception as error:  # a driver's text may quote a statement, and so a password
        return _said(f"{type(error).__name__} at {_place(error)}", FAILED)
    finally:
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(sign, signal.SIG_IGN)
        shutil.rmtree(root, ignore_errors=True)
    print(f"All of it took {time.monotonic() - begun:.0f} seconds.")
    return 0


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _forget_this_machine() -> None:
    """Nobody's own AWS profile, database, vault or web proxy has a part in it."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "PG", "BAO_", "VAULT_")) or name.lower().endswith("_proxy"):
            del os.environ[name]


def _place(error: BaseException) -> str:
    """Where it came from, in keyward's own code as far as possible."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "keyward" in frame.filename] or frames
    return f"{os.path.basename(own[-1].filename)}:{own[-1].lineno}"


def _said(text: str, code: int) -> int:
    print(f"\ndemo: {text}", file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
