"""Where a report goes, and in which form."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TextIO

from keyward.errors import UsageError


def use_color(stream: TextIO, choice: str = "auto") -> bool:
    """Whether to colour: as chosen, else on a terminal unless NO_COLOR is set or TERM is dumb."""
    if choice in ("always", "never"):
        return choice == "always"
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def width() -> int:
    """Columns of the terminal, between 60 and 120; 100 where there is none."""
    return max(60, min(120, shutil.get_terminal_size((100, 24)).columns))


def write(text: str, output: str | None) -> None:
    """Writes a report to a file (atomically) or to standard output.

    Raises UsageError if the file cannot be written.
    """
    if output is None or output == "-":
        sys.stdout.write(text)
        return
    temporary = f"{output}.{os.getpid()}.tmp"
    try:
        with open(temporary, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.replace(temporary, output)
    except OSError as error:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise UsageError(f"cannot write {output!r}: {(error.strerror or '').lower()}") from None
