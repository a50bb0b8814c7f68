"""Questions for credentials and their answers in chats, mails and transcripts: found at the answer's own bytes, and nowhere else."""

from __future__ import annotations

import time

import pytest

from keyward.formats.readings.answers import may_answer
from keyward.formats.readings.tables import answer_view, table_view
from keyward.match import catalogue
from keyward.match.fingerprint import Fingerprinter
from keyward.match.matcher import Matcher
from keyward.match.personas import REGULAR
from keyward.plugin.shapes import chars
from keyward.registry import Registry
from keyward.scan.examine import Examiner, Place

_REGISTRY = Registry()
_MATCHER = Matcher(_REGISTRY, catalogue.load(_REGISTRY))
SECRET = chars("bcdfghjkmnpqrtvwxzBCDFGHJKMNPQ", 5).sample(4).text.decode() + "4q7" + chars("BCDFGHJKMNPQ", 4).sample(5).text.decode()

TALKS = {
    "a chat with times": f"[10:03] Ann: what is the password of the till?\n[10:05] Bob: {SECRET}\n[10:05] Bob: mind the case\n",
    "a messenger's export": f"03.12.23, 18:41 - Ann: Wie war das Passwort?\n03.12.23, 18:44 - Bob: {SECRET}\n",
    "nicks": f"<ann> anybody got the api key of the relay?\n<bob> `{SECRET}`\n",
    "names alone": f"Ann: the wifi password?\nBob: {SECRET}\n",
    "within an answer": f"[10:03] Ann: mi rimandi la password?\n[10:05] Bob: eccola {SECRET}, ciao\n",
    "who speaks on a line of its own": f"2024-03-18 14:02:11 Ann\n密码是多少?\n\n2024-03-18 14:03:40 Bob\n{SECRET}\n",
    "another message in between": f"Ann, [3 May 2024 at 18:02]:\nwhat's the password?\n\nBob, [3 May 2024 at 18:03]:\nwait\n\nBob, [3 May 2024 at 18:04]:\n{SECRET}\n",
    "a mail": f"Hello,\nthe password of the archive is below.\n\n    {SECRET}\n\nBob\n",
    "a quoted mail": f"> What is the access key?\n> \n> {SECRET}\n",
    "a command and what it printed": f"$ vault kv get -field=password kv/db\n{SECRET}\n$ exit\n",
    "Japanese": f"解凍パスワードは以下のとおりです。\n\n{SECRET}\n\n以上\n",
}

OTHER = {
    "another question": f"[10:03] Ann: where is lunch?\n[10:05] Bob: {SECRET}\n",
    "no value": "[10:03] Ann: what is the password?\n[10:05] Bob: ask Eve, or look it up\n",
    "a word": "[10:03] Ann: what is the password?\n[10:05] Bob: tomorrow\n",
    "a list of words": f"password\n{SECRET}\nqwerty12\n",
    "too far away": "[10:03] Ann: what is the password?\n" + "[10:04] Eve: hm\n" * 12 + f"[10:05] Bob: {SECRET}\n",
    "settings": f"token_lifetime: 3600\nbuild_name: {SECRET}\n",
}


@pytest.mark.parametrize("text", TALKS.values(), ids=TALKS)
def test_an_answer_is_found_where_it_stands(text: str) -> None:
    data = b"first\n" + text.encode()
    assert may_answer(data)
    view = answer_view(data)
    assert view is not None
    at = view.text.index(SECRET.encode())
    assert data[view.source_start(at) : view.source_end(at + len(SECRET))] == SECRET.encode()
    found = Examiner(_MATCHER, Fingerprinter(bytes(16))).examine_bytes(Place("tree", "talk/chat.txt"), data).occurrences
    sure = [occurrence for occurrence in found if occurrence.confidence >= REGULAR]
    assert [data[o.locator.start : o.locator.end] for o in sure] == [SECRET.encode()]


@pytest.mark.parametrize("text", OTHER.values(), ids=OTHER)
def test_nothing_else_is_taken_for_an_answer(text: str) -> None:
    view = answer_view(b"first\n" + text.encode())
    assert view is None or SECRET.encode() not in view.text


def test_a_page_of_notes_has_both_tables_and_answers() -> None:
    data = f"# Wifi\n\nAnn: the password?\nBob: {SECRET}\n\n| host | token |\n|---|---|\n| db3 | {SECRET}x |\n".encode()
    view = table_view(data)
    assert view is not None
    assert view.text.count(SECRET.encode()) == 2


HOSTILE = {
    "questions": b"[10:03] Ann: password?\n",
    "words": b"password ",
    "one line": b"password?",
    "speakers": b"12.34 a: ",
    "quotes": b"> > > password?\n",
    "spaces": b"password?\n            \n",
    "values": b"password?\nab1cdefgh2\n",
    "marks": b"`*\"'" * 8 + b"password?\n",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_no_talk_takes_long(piece: bytes) -> None:
    data = (piece * (1_000_000 // len(piece) + 1))[:1_000_000]
    began = time.process_time()
    may_answer(data)
    answer_view(data)
    assert time.process_time() - began < 2
