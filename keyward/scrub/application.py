"""`scrub(text)`, and the scrubber that the adapters for logging libraries share.

    from keyward.scrub import scrub

    text, notes = scrub(text)

It may be called from any thread, from a signal handler that interrupts a call, and after a fork. It never raises: a text that cannot be
looked at is withheld.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterable
from typing import NamedTuple

from keyward.errors import ConfigError
from keyward.match import catalogue
from keyward.match.matcher import Matcher
from keyward.match.personas import PERSONAS
from keyward.model.kind import CredentialKind, Kind
from keyward.model.secret import Secret
from keyward.registry import Registry
from keyward.scrub.document import Document, Pieces, decoded, taken_out
from keyward.scrub.encodings import SHORTEST
from keyward.scrub.known import KnownSecret, KnownSecrets
from keyward.scrub.pseudonym import KEY_BYTES, Pseudonyms, load_pseudonyms
from keyward.scrub.redactor import Redaction, Redactor, Style
from keyward.scrub.stream import StreamScrubber

WITHHELD = "[keyward: withheld: it could not be looked at]"


class Note(NamedTuple):
    """One place of a text that went: characters `start` to `end` of the original. `encoding`: how a value that was known beforehand is
    written there. `withheld`: the place could not be looked at; then there is no kind and no name."""

    start: int
    end: int
    kind: Kind
    pseudonym: str
    encoding: str = "raw"
    withheld: bool = False


class Scrubbed(NamedTuple):
    """A text without secrets, and what went."""

    text: str
    notes: tuple[Note, ...]


class TextScrubber:
    """Takes secrets out of texts and other values of a program.

    `known`: kind and value of secrets that are looked for whatever they look like; they are kept in memory only. `style`, `persona`: as
    of `keyward scrub`. `pseudonyms`: the operator's own unless given; where these cannot be kept, names hold for this process, and
    `note` says so. `registry`: makes the registry of the detectors, for plugins or own rules.

    Raises ValueError for a style or persona that there is not, PackError or RuleError where a detector does not load.
    """

    def __init__(
        self,
        *,
        known: Iterable[tuple[str, str | bytes | Secret]] = (),
        style: Style | str = Style.TOKEN,
        persona: str = "regular",
        pseudonyms: Pseudonyms | None = None,
        registry: Callable[[], Registry] = Registry,
    ) -> None:
        if persona not in PERSONAS:
            raise ValueError(f"there is no persona {persona!r}: one of {', '.join(PERSONAS)}")
        self.style = Style(style)
        self.note = ""
        self._persona = persona
        self._registry = registry
        self._catalogue = catalogue.load(registry())
        self._pseudonyms = pseudonyms or self._own_pseudonyms()
        self._values: frozenset[Secret] = frozenset()
        self._known: tuple[KnownSecret, ...] = ()
        self._lock = threading.RLock()
        # A list and not one engine a thread: taking from its end and putting back are atomic, so that there are as many engines as ever
        # ran at once, a call that interrupts another on the same thread has its own, and a fork leaves no lock behind.
        self._idle: list[_Engine] = []
        _SCRUBBERS.add(self)
        self._idle.append(self._take())
        self.remember_all(known)

    def __repr__(self) -> str:
        return f"TextScrubber({self.style.value}, {len(self._known)} known)"

    def scrub(self, text: str) -> Scrubbed:
        """The text without secrets, and what went. Never raises."""
        try:
            data = text.encode("utf-8", "surrogatepass")
            clean, redactions, whole = self._scrub(data)
            if clean is data:
                return Scrubbed(text, ())
            notes = tuple(_notes(data, redactions))
            if not whole:
                notes = (*notes, Note(0, len(text), Kind(""), "", withheld=True))
            return Scrubbed(decoded(clean), notes)
        except Exception:  # whatever it is: a text that was not looked at does not leave
            return Scrubbed(WITHHELD, (Note(0, len(text) if isinstance(text, str) else 0, Kind(""), "", withheld=True),))

    def is_clean(self, data: bytes) -> bool:
        """Whether nothing in it has to go. Raises what matching raises."""
        engine = self._take()
        try:
            return not engine.redactor.redactions(data)
        finally:
            self._idle.append(engine)

    def pieces(self, document: Document) -> Pieces:
        """What the pieces of a document become. Never raises: a piece that cannot be looked at is withheld."""
        try:
            engine = self._take()
            try:
                redactions = engine.redactor.redactions(document.data())
            finally:
                self._idle.append(engine)
            return document.without(redactions, self.style) if redactions else ()
        except Exception:  # all of it together cannot be looked at: each piece by itself, and what then cannot is withheld
            return [self._piece(value) for value in document.values()]

    def remember(self, kind: str, value: str | bytes | Secret) -> bool:
        """From now on the value goes wherever it stands and however it is written. Answers False where it is too short for that: it
        would be found everywhere."""
        return not self.remember_all([(kind, value)])

    def remember_all(self, known: Iterable[tuple[str, str | bytes | Secret]]) -> int:
        """Remembers many at once, which costs far less than one by one; answers how many are too short to be looked for."""
        wanted = {_secret(value): Kind(kind) for kind, value in known}
        with self._lock:
            new = {secret: kind for secret, kind in wanted.items() if len(secret) >= SHORTEST and secret not in self._values}
            if new:
                registry = self._registry()
                named = (
                    KnownSecret(kind, secret, self._pseudonyms.of_value(_declared(registry, kind), secret.reveal()))
                    for secret, kind in new.items()
                )
                self._known = (*self._known, *named)
                self._values |= new.keys()
                self._idle.append(self._take())  # what there is to compile is compiled here, not in the next line of a log
        return sum(len(secret) < SHORTEST for secret in wanted)

    def _take(self) -> _Engine:
        """An engine that nobody else uses, and that knows all that there is to know. Whoever takes it puts it back."""
        try:
            engine = self._idle.pop()
        except IndexError:
            engine = _Engine(Matcher(self._registry(), self._catalogue))
        if engine.known is not self._known:
            engine.learn(self._known, self._pseudonyms, self._persona)
        return engine

    def _scrub(self, data: bytes) -> tuple[bytes, list[Redaction], bool]:
        """The very same data where nothing goes; what goes; whether all of it could be looked at."""
        engine = self._take()
        try:
            try:
                redactions = engine.redactor.redactions(data)
            except Exception:  # the stream scrubber looks at smaller parts, and withholds those that fail
                return self._in_parts(engine.redactor, data)
        finally:
            self._idle.append(engine)
        return (taken_out(data, redactions, self.style) if redactions else data), redactions, True

    def _in_parts(self, redactor: Redactor, data: bytes) -> tuple[bytes, list[Redaction], bool]:
        redactions: list[Redaction] = []

        def on_redaction(offset: int, each: Redaction) -> None:
            redactions.append(each._replace(start=offset, end=offset + each.end - each.start))

        parts = StreamScrubber(redactor, self.style, on_redaction=on_redaction)
        return b"".join((*parts.feed(data), *parts.finish())), redactions, not parts.count.withheld

    def _piece(self, value: bytes) -> bytes | None:
        try:
            clean, _, _ = self._scrub(value)
        except Exception:
            return WITHHELD.encode()
        return None if clean == value else clean

    def _own_pseudonyms(self) -> Pseudonyms:
        try:
            return load_pseudonyms()
        except ConfigError as error:
            self.note = f"the names of secrets hold for this process only: {error}"
            return Pseudonyms(os.urandom(KEY_BYTES))


class _Engine:
    """A matcher with what belongs to it: for one call at a time."""

    redactor: Redactor

    def __init__(self, matcher: Matcher) -> None:
        self._matcher = matcher
        self.known: tuple[KnownSecret, ...] | None = None

    def learn(self, known: tuple[KnownSecret, ...], pseudonyms: Pseudonyms, persona: str) -> None:
        self.redactor = Redactor(self._matcher, pseudonyms, KnownSecrets(known), persona=persona)
        self.known = known


def _secret(value: str | bytes | Secret) -> Secret:
    if isinstance(value, Secret):
        return value
    return Secret(value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value)


def _declared(registry: Registry, kind: Kind) -> CredentialKind | None:
    """The declaration of a kind, from the pack that is named like its provider. To look into all the others would take a second."""
    pack = str(kind).partition("/")[0].replace("-", "_")
    if pack in registry.names():
        registry.pack(pack)
        return registry.kind(kind)
    return None


def _notes(data: bytes, redactions: list[Redaction]) -> Iterable[Note]:
    at = characters = 0
    for each in redactions:
        start = characters + len(data[at : each.start].decode("utf-8", "replace"))
        length = len(data[each.start : each.end].decode("utf-8", "replace"))
        yield Note(start, start + length, each.kind, each.pseudonym, each.encoding)
        at, characters = each.end, start + length


_SCRUBBERS: weakref.WeakSet[TextScrubber] = weakref.WeakSet()
_default: TextScrubber | None = None
_default_lock = threading.RLock()


def default_scrubber() -> TextScrubber:
    """The one of this process: every rule, regular persona, tokens. Made at first use. Raises what TextScrubber raises."""
    global _default
    if _default is None:
        with _default_lock:
            if _default is None:
                _default = TextScrubber()
    return _default


def scrub(text: str) -> Scrubbed:
    """The text without secrets, and what went, by the scrubber of this process. Never raises."""
    try:
        scrubber = default_scrubber()
    except Exception:
        return Scrubbed(WITHHELD, (Note(0, len(text), Kind(""), "", withheld=True),))
    return scrubber.scrub(text)


def _after_fork() -> None:
    """In the child nobody is left to open a lock that another thread held."""
    global _default_lock
    _default_lock = threading.RLock()
    for each in list(_SCRUBBERS):
        each._lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
