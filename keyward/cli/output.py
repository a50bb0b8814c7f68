"""Where a report goes, and in which form."""

from __future__ import annotations

import os
import stat
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
    """Columns of the terminal, between 60 and 120; 100 where there is none. As `shutil` asks, which would cost every commit 3 ms."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return max(60, min(120, int(columns)))
    try:
        return max(60, min(120, os.get_terminal_size(sys.__stdout__.fileno()).columns or 100))  # type: ignore[union-attr]  # None is caught below
    except (AttributeError, ValueError, OSError):  # no standard output, a closed one, no terminal
        return 100


def write(text: str, output: str | None) -> None:
    """Writes a report to a file (atomically, through a link) or to standard output. What is no regular file (`/dev/null`, a pipe) is written
    to as it is, and never replaced.

    Raises UsageError if the file cannot be written.
    """
    if output is None or output == "-":
        sys.stdout.write(text)
        return
    try:
        if _is_special(output):
            with open(output, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
        else:
            _replace(os.path.realpath(output), text)
    except OSError as error:
        raise UsageError(f"cannot write {output!r}: {(error.strerror or '').lower()}") from None


def _is_special(output: str) -> bool:
    """Whether writing to it means something else than replacing it. `/dev/stdout` may be a regular file that others write to as well."""
    if output.startswith(("/dev/", "/proc/")):
        return True
    try:
        return not stat.S_ISREG(os.stat(output).st_mode)
    except FileNotFoundError:
        return False


def _replace(path: str, text: str) -> None:
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.replace(temporary, path)
    except OSError:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise
