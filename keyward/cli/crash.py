"""An internal error: a report without values is written and named, and the exit code is 70."""

from __future__ import annotations

import os
import platform
import sys
import time
import traceback

import keyward
from keyward.errors import KeywardError
from keyward.match.paths import state_folder, write_private


def report(error: BaseException) -> int:
    """Writes the traceback without locals, source lines or the error's own text (which may quote a scanned file), and says where."""
    frames = [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    text = "\n".join(
        [
            f"keyward {keyward.__version__}, Python {platform.python_version()}, {platform.platform()}",
            f"internal error: {type(error).__module__}.{type(error).__name__}",
            *frames,
            "",
        ]
    )
    path = os.path.join(state_folder(), f"crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt")
    written = write_private(path, text.encode("utf-8", "replace"))
    print(f"keyward: internal error ({type(error).__name__}); this is a bug in keyward", file=sys.stderr)
    if written:
        print(f"  a report without any scanned content is in {path}", file=sys.stderr)
    else:
        print(text, file=sys.stderr)
    return KeywardError.exit_code
