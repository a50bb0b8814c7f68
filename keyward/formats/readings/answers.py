"""Questions and their answers: in chats, mails and tickets the line that names a credential asks for it, and one of the next is nothing but the value.
Such an answer is a cell under that name, as a table has them (`readings.tables`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

ASKED = re.compile(
    rb"[Pp](?i:ass(?:word|wort|code|phrase|wd))|(?<![A-Za-z])(?i:pwd|pw|psk|mdp|pin)(?![A-Za-z])|[Kk](?i:ennwort)|[Mm](?i:ot de passe)|[Cc](?i:ontrase(?:\xc3\xb1|n)a|lave|l\xc3\xa9|have)|"
    rb"[Ss](?i:enha|ecret|chl\xc3\xbcssel|ifre)|[Ww](?i:achtwoord)|[Hh](?i:as(?:l|\xc5\x82)o)|[Tt](?i:oken)|(?i:api|access|admin|license|recovery|wifi)[ _-](?i:key)|[Pp](?i:arol[ae])|"
    rb"\xd0[\xbf\x9f]\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb|\xd0\xba\xd0\xbb\xd1\x8e\xd1\x87|\xe5\xaf\x86(?:\xe7\xa0\x81|\xe7\xa2\xbc|\xe9\x92\xa5)|\xe5\x8f\xa3\xe4\xbb\xa4|\xe3\x83\x91\xe3\x82\xb9\xe3\x83\xaf\xe3\x83\xbc\xe3\x83\x89|\xeb\xb9\x84\xeb\xb0\x80\xeb\xb2\x88\xed\x98\xb8"
)
"""What people call it when they ask for it, in several languages. No name that is only part of a file's or a program's word."""

_PIECES = (
    b"pass", b"kennw", b"pwd", b"pw", b"psk", b"mdp", b"pin", b"contrase", b"clave", b"cl\xc3\xa9", b"chave", b"senha", b"secret", b"schl\xc3\xbcssel", b"sifre", b"achtwoord", b"haslo", b"has\xc5",
    b"token", b"key", b"parol", b"\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb", b"\xd0\xba\xd0\xbb\xd1\x8e", b"\xe5\xaf\x86", b"\xe5\x8f\xa3\xe4", b"\xe3\x83\x91\xe3\x82\xb9", b"\xeb\xb9\x84\xeb\xb0",
)  # fmt: skip
"""Of each of these words a piece, in lower case: to look for them one after the other takes a tenth of the time of the expression."""

PASSWORDS = re.compile(rb"(?!(?i:token|secret|[a-z]+[ _-]key))")
"""Which of these words are for passwords, that people choose; the others are for what is drawn."""

LINES = 8
"""Lines after the question in which its answer may stand."""

LONGEST_LINE = 400
"""Bytes of a line that may ask or answer: people write no longer ones, data does."""

_VALUE = rb"[A-Za-z0-9!#$%&@+^_~?*-]"
"""Without a sign of equality but at the end: a line of settings is no answer."""

_SPEAKER = (
    rb"(?:[\[(]?\d{1,4}[./:-]\d{1,2}[^\n]{0,60}?[:>\]-] {1,2}|\[[^\]\n]{1,40}\] {0,2}[^\n:]{1,40}: {1,2}|<[^>\n]{1,30}> {1,2}|[*_]{0,2}[A-Z\xc3-\xed][^\n:=]{0,30}:[*_]{0,2} {1,2})"
)
_STARTED = re.compile(rb"(?:> ?){0,6}" + _SPEAKER)
_ALONE = re.compile(rb"(?:> ?){0,6}[ \t]{0,12}(?:" + _SPEAKER + rb")?[`*\"']{0,3}((?=[^\n]{0,40}[0-9])(?=[^\n]{0,40}[A-Za-z])" + _VALUE + rb"{8,200}={0,2})[`*\"']{0,3}[.!]?[ \t\r]*\Z")
_AMONG_WORDS = re.compile(
    rb"(?<![^\s`*\"'(])(?=[^\s`*\"',]{0,40}[A-Za-z][0-9]{1,3}[A-Za-z])(?=[^\s`*\"',]{0,40}[A-Z])(?=[^\s`*\"',]{0,40}[a-z])(" + _VALUE + rb"{9,80}={0,2})(?=[`*\"').,;!]{0,3}(?:\s|\Z))"
)
"""Digits between letters of both cases: what no word of an answer looks like."""

_LINE = re.compile(rb"(?:\n[ \t>]{0,12}|[:>\])] )[`*\"']{0,3}(?=" + _VALUE + rb"{0,40}[0-9])(?=" + _VALUE + rb"{0,40}[A-Za-z])" + _VALUE + rb"{8,200}={0,2}[`*\"']{0,3}[.!]?[ \t\r]*\n")
_CHAT = re.compile(rb"\n(?:[\[(]?\d{1,4}[./:-]\d{1,2}[^\n]{0,60}[:>\]-] |<[^>\n]{1,30}> )")
_PROMPTS = (b"$ ", b"# ", b"% ", b"> ")
"""Of shells: what the command prints stands on the next line."""

_DATED_ALONE = re.compile(rb"[\[(]?\d{2,4}[./:-]\d{1,2}[^\n]{0,60}\Z|[^\n]{0,60}\d{1,2}[:.]\d{2}[^\n]{0,12}\Z")
"""Some messengers put who speaks, and when, on a line of its own."""


def may_answer(head: bytes) -> bool:
    """Whether a text asks for a credential, and is a chat or has a line that is nothing but a value: asked of every text, at the speed of a search."""
    return (_CHAT.search(head) is not None or _LINE.search(head) is not None) and next(_asked(head), None) is not None


def may_talk(head: bytes) -> bool:
    """Whether the beginning of a text looks like a chat, or speaks of credentials."""
    return _CHAT.search(head) is not None or next(_asked(head), None) is not None


def answers(data: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Each answer: from where to where what is asked for is named, and from where to where the answer stands."""
    for asked in _asked(data):
        end = data.find(b"\n", asked.end(), asked.end() + LONGEST_LINE)
        start = data.rfind(b"\n", max(0, asked.start() - LONGEST_LINE), asked.start()) + 1
        if end < 0 or (not start and asked.start() > LONGEST_LINE):
            continue
        spoken = _STARTED.match(data, start, end) is not None
        rest = data[asked.end() : end]
        question = b"?" in rest or b"\xef\xbc\x9f" in rest or data[start:end].rstrip().endswith(b":") or data[start : start + 2] in _PROMPTS
        found = _answer(data, end + 1, spoken, question)
        if found:
            yield (*asked.span(), *found)


def _asked(data: bytes) -> Iterator[re.Match[bytes]]:
    """The first name of a credential on each line that has one."""
    lowered = data.lower()
    nexts = {piece: at for piece in _PIECES if (at := lowered.find(piece)) >= 0}
    done = 0
    while nexts:
        place = min(nexts.values())
        asked = ASKED.search(data, max(done, place - 12), place + 20)
        if asked:
            end = data.find(b"\n", asked.end())
            done = len(data) if end < 0 else end
            yield asked
        beyond = max(done, place + 1)
        for piece, at in list(nexts.items()):
            if at < beyond:
                at = lowered.find(piece, beyond)
                if at >= 0:
                    nexts[piece] = at
                else:
                    del nexts[piece]


def _answer(data: bytes, at: int, spoken: bool, question: bool) -> tuple[int, int] | None:
    """Where the answer stands in the lines from `at` on. What follows at once, without anybody speaking, answers a question only; a line of its
    own, with an empty one before, also what was announced."""
    apart = False
    for _ in range(LINES):
        end = data.find(b"\n", at, at + LONGEST_LINE)
        end = min(len(data), at + LONGEST_LINE) if end < 0 else end
        if at >= len(data) or end - at >= LONGEST_LINE:
            return None
        line = data[at:end]
        speaks = _STARTED.match(line)
        if spoken == (speaks is not None) or apart:
            found = _ALONE.match(line)
            if found and (speaks or apart or question):
                return at + found.start(1), at + found.end(1)
            if found is None and spoken and speaks:
                among = _AMONG_WORDS.findall(line, speaks.end())
                if len(among) == 1:
                    begin = line.index(among[0], speaks.end())
                    return at + begin, at + begin + len(among[0])
        if ASKED.search(line):  # asked again: the answer is that line's
            return None
        apart = not line.strip() or _DATED_ALONE.match(line) is not None
        at = end + 1
    return None
