"""Texts of an application: scrubbed from any thread, in any process, whatever happens."""

from __future__ import annotations

import os
import secrets
import signal
import threading
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import rules_cache as compiled
from hypothesis import given, settings
from hypothesis import strategies as st
from tests_support import token

import keyward.scrub
from keyward.model.kind import CredentialKind, Kind
from keyward.model.rule import Rule
from keyward.model.secret import Secret
from keyward.plugin.shapes import an, concat, hexa, part
from keyward.registry import Registry
from keyward.scrub import Scrubbed, Style, TextScrubber
from keyward.scrub.document import DEEPEST, MOST, TOO_MUCH, Document
from keyward.scrub.pseudonym import Pseudonyms

TOKEN = token(1).decode()
PASSWORD = an(22).sample(5).text.decode()
NAMES = Pseudonyms(b"k" * 32)
GONE = f"[redacted:github/pat-classic:{NAMES.of(TOKEN.encode())}]"


def scrubber(**options: Any) -> TextScrubber:
    return TextScrubber(pseudonyms=NAMES, **options)


@cache
def plain() -> TextScrubber:
    return scrubber()


def rebuilt(value: Any, name: str = "", scrubbing: TextScrubber | None = None) -> Any:
    document = Document()
    node = document.node(value, name)
    return node.rebuilt((scrubbing or plain()).pieces(document))


# --- texts --------------------------------------------------------------------------------------------------------------------


def test_a_secret_goes_and_a_note_says_where_it_stood() -> None:
    text = f"naïve — {TOKEN}, then {TOKEN} again"
    clean, notes = plain().scrub(text)
    assert clean == f"naïve — {GONE}, then {GONE} again"
    assert [text[note.start : note.end] for note in notes] == [TOKEN, TOKEN]
    assert {(note.kind, note.encoding, note.withheld) for note in notes} == {("github/pat-classic", "raw", False)}


@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(), max_size=80))
def test_a_text_without_secrets_stays_as_it_is_lone_surrogates_included(text: str) -> None:
    assert plain().scrub(text) == Scrubbed(text, ())


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(), max_size=20), st.text(st.characters(), max_size=20))
def test_the_secret_goes_and_what_is_around_it_stays(before: str, after: str) -> None:
    clean, _ = plain().scrub(f"{before} {TOKEN} {after}")
    assert clean == f"{before} {GONE} {after}"


@pytest.mark.parametrize("style", ["token", "same-length", "remove"])
def test_what_was_scrubbed_is_not_scrubbed_again(style: str) -> None:
    scrubbing = scrubber(style=style)
    once, notes = scrubbing.scrub(f"password={PASSWORD}\nAuthorization: Bearer {an(40).sample(3).text.decode()}\n{TOKEN}")
    assert len(notes) == 3
    assert scrubbing.scrub(once) == Scrubbed(once, ())


def test_same_length_keeps_the_length() -> None:
    text = f"key {TOKEN}."
    clean, _ = scrubber(style=Style.SAME_LENGTH).scrub(text)
    assert len(clean) == len(text) and clean.endswith("].") and TOKEN not in clean


def test_the_public_names_are_there() -> None:
    for name in keyward.scrub.__all__:
        assert callable(getattr(keyward.scrub, name))
    with pytest.raises(AttributeError):
        _ = keyward.scrub.no_such_name


def test_the_function_uses_the_scrubber_of_the_process(environment: None) -> None:
    clean, notes = keyward.scrub.scrub(f"see {TOKEN}")
    assert TOKEN not in clean and len(notes) == 1
    assert keyward.scrub.default_scrubber() is keyward.scrub.default_scrubber()


@pytest.mark.parametrize("options", [{"style": "blink"}, {"persona": "nobody"}])
def test_a_wrong_option_is_said_when_the_scrubber_is_made(options: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"blink|nobody"):
        scrubber(**options)


def test_names_hold_for_the_process_where_no_key_can_be_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file, where a folder should be")
    monkeypatch.setenv("KEYWARD_STATE", str(tmp_path / "state"))
    scrubbing = TextScrubber()
    assert "this process only" in scrubbing.note
    assert scrubbing.scrub(TOKEN).text == scrubbing.scrub(TOKEN).text != TOKEN


# --- values that are known ------------------------------------------------------------------------------------------------------


def test_a_known_value_goes_in_every_encoding() -> None:
    value = "correct / horse+battery " + secrets.token_hex(4)
    scrubbing = scrubber(known=[("app/passphrase", value)])
    for written in (
        value,
        value.replace("/", "\\/"),
        value.replace(" ", "+").replace("/", "%2F").replace("+battery", "%2Bbattery"),
    ):
        clean, notes = scrubbing.scrub(f"<{written}>")
        assert clean == f"<[redacted:app/passphrase:{NAMES.of(value.encode())}]>", written
        assert len(notes) == 1


def test_a_value_is_remembered_while_the_application_runs() -> None:
    scrubbing = scrubber()
    value = "plain words " + secrets.token_hex(3)
    assert scrubbing.scrub(value).text == value
    assert scrubbing.remember("app/password", value)
    assert value not in scrubbing.scrub(f"it is {value}").text
    assert scrubbing.remember("app/password", Secret(value.encode()))
    assert repr(scrubbing) == "TextScrubber(token, 1 known)"


def test_a_value_that_would_be_found_everywhere_is_refused() -> None:
    scrubbing = scrubber()
    assert not scrubbing.remember("app/pin", "1234")
    assert scrubbing.scrub("in the year 1234").text == "in the year 1234"
    assert scrubbing.remember_all([("app/pin", "12345"), ("app/password", "long enough")]) == 1


def test_every_engine_learns_what_one_is_told() -> None:
    """The one that another thread had while the value was remembered too."""
    scrubbing = scrubber()
    inside, told = threading.Event(), threading.Event()

    class Slow:
        def __str__(self) -> str:
            inside.set()
            assert told.wait(10)
            return "nothing"

    value = "known only later " + secrets.token_hex(3)
    results: list[str] = []

    def work() -> None:
        rebuilt(Slow(), scrubbing=scrubbing)
        results.append(scrubbing.scrub(value).text)

    thread = threading.Thread(target=work)
    thread.start()
    assert inside.wait(10)
    scrubbing.remember("app/password", value)
    told.set()
    thread.join()
    assert value not in results[0]


# --- when it fails ----------------------------------------------------------------------------------------------------------------


def hopeless() -> Registry:
    """One rule, which gives up where many places begin like a match and are none."""
    shape = concat("qqx", hexa(8))
    kind = Kind("test/hopeless")
    rule = Rule(
        "test/hopeless",
        kind,
        rb"qqx[0-9a-f]{8}(?![0-9a-f])",
        examples=[part("secret", shape)],
        near_misses=[concat(shape, "a")],
    )
    return Registry(user_rules=[rule], user_kinds=[CredentialKind(kind, "Hopeless")], disabled=Registry().names())


def test_what_cannot_be_looked_at_is_withheld_and_the_rest_is_passed_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # of its own: other rules would push the usual ones out of the one that all share
    monkeypatch.setenv("KEYWARD_CACHE", str(compiled.copy(tmp_path / "cache")))
    scrubbing = TextScrubber(registry=hopeless, pseudonyms=NAMES, known=[("app/password", "hunter and two")])
    bad = "".join(f"qqx{number:08x}0\n" for number in range(20_000))
    text = "before: hunter and two\n" * 2000 + bad + "after\n" * 2000
    clean, notes = scrubbing.scrub(text)
    assert "bytes withheld" in clean and "hunter" not in clean and len(clean) < len(text) - 100_000
    assert clean.startswith("before: [redacted:app/password:") and clean.endswith("after\n")
    assert notes[-1].withheld and [text[note.start : note.end] for note in notes[:3]] == ["hunter and two"] * 3
    assert rebuilt(["fine", bad, 5, "hunter and two"], scrubbing=scrubbing)[0] == "fine"
    left = rebuilt([bad, "hunter and two"], scrubbing=scrubbing)
    assert "bytes withheld" in left[0] and left[1].startswith("[redacted:app/password:")


def test_what_is_no_text_is_withheld() -> None:
    wrong: Any = 17
    clean, notes = plain().scrub(wrong)
    assert "withheld" in clean and notes[0].withheld


def test_half_a_character_is_never_left() -> None:
    value = "ümläut-" + secrets.token_hex(4)
    scrubbing = scrubber(known=[("app/password", value.encode()[1:])])  # begins within a character
    clean, notes = scrubbing.scrub(f"a{value}b")
    assert clean.startswith("a[redacted:app/password:") and clean.endswith("]b") and len(notes) == 1


# --- threads, signals, processes ----------------------------------------------------------------------------------------------------


def test_many_threads_at_once() -> None:
    scrubbing = scrubber()
    wrong: list[str] = []

    def work(number: int) -> None:
        own = token(100 + number).decode()
        for turn in range(60):
            clean = scrubbing.scrub(f"{turn} {own} of {number}").text
            if (
                own in clean
                or not clean.startswith(f"{turn} [redacted:github/pat-classic:")
                or not clean.endswith(f" of {number}")
            ):
                wrong.append(clean)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_call_that_interrupts_another_on_the_same_thread() -> None:
    """As a signal handler that logs does, or an object whose `str()` logs."""
    seen: list[str] = []

    def handler(number: int, frame: Any) -> None:
        seen.append(plain().scrub(f"interrupted with {TOKEN}").text)

    before = signal.signal(signal.SIGALRM, handler)
    try:
        for number in range(3000):
            if number % 100 == 0:
                signal.setitimer(
                    signal.ITIMER_REAL, 0.0005
                )  # once: a signal that comes while its handler runs nests without end
            assert plain().scrub(f"{number} {TOKEN}").text == f"{number} {GONE}"
            if len(seen) >= 10:
                break
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert seen and set(seen) == {f"interrupted with {GONE}"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_of_a_busy_process_scrubs_and_remembers() -> None:
    scrubbing = scrubber()
    stop = threading.Event()

    def work() -> None:
        number = 0
        while not stop.is_set():
            scrubbing.scrub(f"busy {TOKEN}")
            number += 1
            if number % 20 == 0:
                scrubbing.remember("app/password", f"a value {secrets.token_hex(4)}")

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(6):
            child = os.fork()
            if child == 0:
                signal.alarm(20)  # a child that waits for a lock of its parent's dies
                scrubbing.remember("app/password", "the child knows this")
                good = scrubbing.scrub(f"the child knows this and {TOKEN}").text
                os._exit(0 if TOKEN not in good and "child" not in good else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()


# --- containers and objects -----------------------------------------------------------------------------------------------------------


class Client:
    def __init__(self, key: str) -> None:
        self.key = key

    def __repr__(self) -> str:
        return f"Client({self.key})"


def test_containers_are_looked_into_and_keep_their_types() -> None:
    value = {"a": [1, TOKEN, (TOKEN, None)], "b": {TOKEN}, "c": b"x " + TOKEN.encode(), TOKEN: 5, 7: frozenset((TOKEN,))}
    assert rebuilt(value) == {
        "a": [1, GONE, (GONE, None)],
        "b": {GONE},
        "c": b"x " + GONE.encode(),
        GONE: 5,
        7: frozenset((GONE,)),
    }
    assert rebuilt(Client(TOKEN)) == f"Client({GONE})"
    assert value["a"][1] == TOKEN  # the application's own value is not touched


@pytest.mark.parametrize(
    "value", [{"a": [1, "two", {"b": (3.0, None)}]}, ["x"], ("y",), {"z"}, b"bytes", Client("none"), 5, None, {}]
)
def test_what_needs_no_change_is_the_very_same_object(value: Any) -> None:
    assert rebuilt(value) is value


def test_the_name_beside_a_value_says_what_it_is() -> None:
    assert rebuilt(PASSWORD) == PASSWORD
    clean = rebuilt({"password": PASSWORD, "other": f"({PASSWORD})"})
    assert clean["password"].startswith("[redacted:generic/")
    assert clean["other"] == f"({clean['password']})"  # and wherever else it stands


def test_what_is_too_deep_or_too_much_is_withheld() -> None:
    deep: list[Any] = []
    inner = deep
    for _ in range(DEEPEST + 3):
        inner.append([])
        inner = inner[0]
    inner.append(TOKEN)
    assert TOKEN not in str(rebuilt(deep)) and TOO_MUCH in str(rebuilt(deep))
    around: list[Any] = [1]
    around.append(around)
    assert TOO_MUCH in str(rebuilt(around))
    many = ["x"] * (MOST + 5) + [TOKEN]
    assert TOKEN not in rebuilt(many) and rebuilt(many)[0] == "x" and rebuilt(many)[-1] == TOO_MUCH
