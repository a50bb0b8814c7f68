"""How shells, REPLs and editors write commands of several lines, spaces and bytes beyond ASCII into their histories."""

from __future__ import annotations

import re
from functools import partial

from keyward.formats.readings.rewriting import Substitution, whole_view
from keyward.formats.views import Step

ZSH: tuple[Step, ...] = (
    # `Meta` (0x83) stands before each byte that zsh uses itself, which is then written with bit 5 changed (zsh: Src/utils.c, metafy)
    Substitution(rb"\x83[\x20-\xff]", lambda match: bytes((match[0][1] ^ 0x20,))),
    # a newline of the command is written behind a backslash (Src/hist.c, savehistfile); with one of the command's own, the shell
    # takes the two lines for one word
    Substitution(rb"\\\\\n|\\\n", lambda match: b"" if len(match[0]) == 3 else b"\n"),
)

_VIS = {b"\\\\": b"\\"}


def _vis(match: re.Match[bytes]) -> bytes:
    what: bytes = match[0]
    if what[1:2] == b"^":
        return bytes((what[2] ^ 0x40,))
    return _VIS.get(what) or bytes((int(what[1:], 8),))


LIBEDIT: tuple[Step, ...] = (Substitution(rb"\\(?:[0-3][0-7]{2}|\\|\^[@-_?])", _vis),)
"""`_HiStOrY_V2_`: strvis(3) with VIS_WHITE: octal for spaces and newlines."""

FISH: tuple[Step, ...] = (Substitution(rb"\\[n\\]", lambda match: b"\n" if match[0] == b"\\n" else b"\\"),)
PSQL: tuple[Step, ...] = (Substitution(rb"\x01", b"\n"),)
"""NL_IN_HISTORY of psql's input.c."""
NUSHELL: tuple[Step, ...] = (Substitution(rb"<\\n>", b"\n"),)
"""reedline's NEWLINE_ESCAPE."""
PYTHON: tuple[Step, ...] = (Substitution(rb"\r\n", b"\n"),)
"""pyrepl, since Python 3.13, writes the newlines within an entry so."""

_BAR = {b"n": b"\n", b'"': b'"', b"\\": b"\\"}

VIMINFO: tuple[Step, ...] = (
    # a long line goes on in lines that begin with `|<` (of a bar line) or `<` (after ^V and its length)
    Substitution(rb"\n\|<|\x16[0-9]+\r?\n<", b""),
    Substitution(rb"\x16[n\x16]", lambda match: b"\n" if match[0][1:] == b"n" else b"\x16"),
    Substitution(rb"\\[n\"\\]", lambda match: _BAR[match[0][1:]]),
)
"""vim's `:help viminfo`; src/viminfo.c."""

zsh_view = partial(whole_view, "zsh-history", ZSH)
libedit_view = partial(whole_view, "libedit-history", LIBEDIT)
fish_view = partial(whole_view, "fish-history", FISH)
psql_view = partial(whole_view, "psql-history", PSQL)
nushell_view = partial(whole_view, "nushell-history", NUSHELL)
python_view = partial(whole_view, "python-history", PYTHON)
viminfo_view = partial(whole_view, "viminfo", VIMINFO)
