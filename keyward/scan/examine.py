"""Looks through one source, chunk by chunk, and answers with its occurrences. Plain values never leave this module.

What only a match needs is imported when there is one: a clean commit, the usual case, does not pay for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from keyward.match.fingerprint import Fingerprinter
from keyward.match.matcher import Judged, Matcher
from keyward.model.finding import Allowance, Locator, NotScanned, Occurrence, Provenance, Signal
from keyward.scan.reader import CHUNK, Chunk, Read, chunks, chunks_of, is_plain, plain_chunk, source_length

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

    from keyward.formats.opened import Limits
    from keyward.match.engine.portable import Hits
    from keyward.scan.interop import DetectSecretsBaseline

MOST_OCCURRENCES = 10_000
"""Occurrences in one file; what is beyond is counted as not scanned."""

LINE_CONTEXT = 4096
"""Bytes of a line on either side of a match that an inline allowance is looked for in."""


class Place(NamedTuple):
    """What is being looked through. `source`: `tree`, `index`, `history`, `stdin` or `process`; `blob`: the object id, for `index` and
    `history`. `container`: the names of the members that lead to it, if it is inside of something. `judged_as`: the path that
    its matches are judged by, `role`: what it is (`live-config` or `echo`); where empty, the path says both."""

    source: str
    path: str
    blob: str = ""
    container: tuple[str, ...] = ()
    judged_as: str = ""
    role: str = ""


class Examined(NamedTuple):
    occurrences: list[Occurrence]
    problems: list[NotScanned]
    bytes: int


class Examiner:
    """Examines sources with one matcher. `detect_secrets`: a baseline of that tool, with paths relative to `root`.
    `own_samples`: by real path, the samples of a rule file, which are no findings in that file. `limits`: how far containers are
    opened, None for the default. `allows`: what the operator's file of another scanner lets pass, asked with the finding, its buffer and its path.

    `examine_source` and `examine_bytes` look at everything; the others at bytes as they stand.
    """

    def __init__(
        self,
        matcher: Matcher,
        fingerprinter: Fingerprinter,
        *,
        detect_secrets: DetectSecretsBaseline | None = None,
        root: str = "",
        own_samples: Mapping[str, tuple[bytes, ...]] | None = None,
        limits: Limits | None = None,
        allows: Callable[[Judged, Any, str], Allowance | None] | None = None,
    ) -> None:
        self.limits = limits
        self._allows = allows
        self._matcher = matcher
        self._fingerprinter = fingerprinter
        self._detect_secrets = detect_secrets
        self._root = root
        self._own_samples = own_samples or {}
        self._prefixes: dict[tuple[str, str], re.Pattern[bytes] | None] = {}

    def examine_source(self, place: Place, read: Read, *, modified: float = 0.0) -> Examined:
        """Everything found in a source that is read from front to back, with what is in it if it is a container. `modified`: when it was
        last written, in seconds since 1970, 0 if unknown. Raises what reading raises."""
        data = _first(read)
        if len(data) < SMALL:
            return self.examine_bytes(place, data, modified=modified)
        rest = _after(data, read)
        if not special(place.path, data):
            examined = self.examine_chunks(place, chunks(rest))
            if modified and examined.occurrences:
                dated = [o._replace(provenance=Provenance(since=modified, since_from="mtime")) for o in examined.occurrences]
                examined = examined._replace(occurrences=dated)
            return examined
        from keyward.scan.inside import examine_stream

        return examine_stream(self, place, rest, modified=modified)

    def examine_bytes(self, place: Place, data: bytes, *, modified: float = 0.0) -> Examined:
        """The same for a small source that was read in one go."""
        examined = self.examine_whole(place, data)
        if not examined.occurrences and not worth_opening(
            place.path, data, not place.path.endswith(_COMPILED) or bool(self._matcher.hits(data))
        ):
            return examined
        from keyward.scan.inside import examine_held

        return examine_held(self, place, data, examined, modified=modified)

    def examine_small(self, source: str, path: str, data: bytes) -> tuple[Examined, bool]:
        """What a source that was read in one go holds as it stands, and whether it is worth opening. Most files of a tree end here, with
        nothing to look at."""
        if is_plain(data):
            hits = self._matcher.hits(data)
            examined = self._examine(Place(source, path), [(plain_chunk(data), hits)]) if hits else Examined([], [], len(data))
        else:
            hits = None
            examined = self.examine_chunks(Place(source, path), chunks_of(data))
        return examined, bool(examined.occurrences) or worth_opening(path, data, hits is None or bool(hits))

    def examine_whole(self, place: Place, data: bytes) -> Examined:
        """The same of any place and any size."""
        if len(data) >= CHUNK or not is_plain(data):
            pieces = iter((data,))
            return self.examine_chunks(place, chunks(lambda size: next(pieces, b"")) if len(data) < CHUNK else _sliced(data))
        hits = self._matcher.hits(data)
        return self._examine(place, [(plain_chunk(data), hits)]) if hits else Examined([], [], len(data))

    def examine(self, place: Place, chunks: Iterable[Chunk]) -> Examined:
        """What the chunks of one source hold as they stand; a container is named as not looked at. Raises what reading raises (OSError)."""
        heads: list[bytes] = []
        examined = self.examine_chunks(place, _noting(chunks, heads))
        if heads and heads[0].startswith(_PACKED_STARTS):
            note = NotScanned(place.path, "a packed file: what is in it was not looked at", opaque=True)
            examined.problems.insert(0, note)
        return examined

    def examine_chunks(self, place: Place, chunks: Iterable[Chunk]) -> Examined:
        """The same, for a caller that looks into containers itself."""
        return self._examine(place, ((chunk, self._matcher.hits(chunk.data)) for chunk in chunks))

    def _examine(self, place: Place, chunks: Iterable[tuple[Chunk, Hits]]) -> Examined:
        occurrences: list[Occurrence] = []
        problems: list[NotScanned] = []
        size = 0
        cursor = Cursor()
        previous: Chunk | None = None
        for chunk, hits in chunks:
            if previous is not None:
                cursor.next_chunk(previous)
            previous = chunk
            if chunk.encoding == "raw":
                size = max(size, chunk.offset + len(chunk.data))
            else:
                size = max(size, chunk.source_offset + 2 * len(chunk.data))
            if hits:
                judged, gave_up = self._matcher.judged(chunk.data, place.judged_as or place.path, hits)
                problems.extend(
                    NotScanned(place.path, f"rule {rule} gave up: too many places that look like it but are not")
                    for rule in gave_up
                )
                triggered = self._matcher.triggered(hits)
                if triggered and len(occurrences) + len(judged) <= MOST_OCCURRENCES:  # else nothing of it would be listed
                    judged, reason = self._matcher.with_encoded(chunk.data, place.judged_as or place.path, triggered, judged)
                    if reason:
                        problems.append(NotScanned(place.path, reason))
                own = [j for j in judged if chunk.own_start <= j.candidate.span[0] < chunk.own_end]
                if len(occurrences) + len(own) > MOST_OCCURRENCES:
                    problems.append(NotScanned(place.path, f"more than {MOST_OCCURRENCES:,} matches; the rest is not listed"))
                    own = own[: MOST_OCCURRENCES - len(occurrences)]
                if own:
                    occurrences.extend(self._occurrences(place, chunk, own, cursor))
                if len(occurrences) >= MOST_OCCURRENCES:
                    break
        return Examined(occurrences, problems, size)

    def _occurrences(self, place: Place, chunk: Chunk, judged: list[Judged], cursor: Cursor) -> list[Occurrence]:
        samples = self._own_samples.get(os.path.realpath(place.path), ()) if self._own_samples and not place.container else ()
        if samples:
            judged = [each for each in judged if not any(each.context.value in sample for sample in samples)]
        names: dict[tuple[str, bytes], tuple[str, str]] = {}
        found = [self._occurrence(place, chunk, each, cursor, names) for each in sorted(judged, key=lambda j: j.candidate.span)]
        return self._with_allowances(chunk, found, judged)

    def _occurrence(
        self, place: Place, chunk: Chunk, judged: Judged, cursor: Cursor, names: dict[tuple[str, bytes], tuple[str, str]]
    ) -> Occurrence:
        """`names`: the fingerprints and masks of the values of this chunk so far, by rule and value."""
        from keyward.scan.roles import role_of

        candidate, context = judged.candidate, judged.context
        kind = candidate.kind
        start, end = candidate.span
        line, column = cursor.at(chunk, start)
        name = (candidate.rule.id, context.value)
        if name not in names:
            names[name] = self._names(judged)
        fingerprint, masked = names[name]
        source_start = chunk.source_offset + source_length(chunk.data[:start], chunk.encoding)
        public = next((context.parts[name] for name in kind.public if name in context.parts), b"")
        occurrence = Occurrence(
            fingerprint=fingerprint,
            rule=candidate.rule.id,
            kind=kind.name,
            severity=kind.severity,
            locator=Locator(
                place.source,
                place.path,
                source_start,
                source_start + source_length(chunk.data[start:end], chunk.encoding),
                within(chunk.encoding, judged.encoding),
                place.blob,
                place.container,
            ),
            line=line,
            column=column,
            end_line=line + chunk.data.count(b"\n", start, end),
            masked=masked,
            confidence=judged.confidence,
            signals=judged.signals,
            parts=tuple(sorted(candidate.parts)),
            public_id=public.decode("utf-8", "replace")[:200],
            facts=_facts(judged),
            role=place.role or role_of(place.judged_as or place.path),
        )
        if self._detect_secrets is not None:
            occurrence = occurrence._replace(allowance=self._listed_elsewhere(place, context.parts.values()))
        if self._allows is not None and occurrence.allowance is None:
            occurrence = occurrence._replace(allowance=self._allows(judged, chunk.data, place.judged_as or place.path))
        return occurrence

    def _names(self, judged: Judged) -> tuple[str, str]:
        """What a value is called by: its fingerprint, and what may be shown of it."""
        from keyward.match.guessable import is_guessable
        from keyward.match.mask import mask

        value, kind = judged.context.value, judged.candidate.kind
        guessable = is_guessable(value)
        masked = mask(value, self._prefix(judged), guessable)
        if kind.canonical is None:
            return self._fingerprinter.of(value, guessable), masked
        return self._fingerprinter.of(kind.canonical(value)), masked

    def _listed_elsewhere(self, place: Place, values: Iterable[bytes]) -> Allowance | None:
        from keyward.scan.interop import value_hashes

        assert self._detect_secrets is not None
        path = os.path.relpath(os.path.realpath(place.path), self._root)
        return self._detect_secrets.allows(path, value_hashes(values))

    def _prefix(self, judged: Judged) -> re.Pattern[bytes] | None:
        candidate = judged.candidate
        key = (candidate.rule.id, candidate.identity)
        if key not in self._prefixes:
            from keyward.match.engine.anchor_derivation import public_prefix
            from keyward.model.rule import GENERIC

            rule = candidate.rule
            # Values of a generic rule have nothing in common, and its pattern takes long to be taken apart.
            own = rule.trusted and rule.specificity > GENERIC and not any(c.part == candidate.identity for c in rule.companions)
            self._prefixes[key] = public_prefix(rule, candidate.identity) if own else None
        return self._prefixes[key]

    def _with_allowances(self, chunk: Chunk, found: list[Occurrence], judged: list[Judged]) -> list[Occurrence]:
        if not found:
            return found
        from keyward.match import allow

        ordered = sorted(judged, key=lambda j: j.candidate.span)
        by_line: dict[int, list[int]] = {}
        for index, occurrence in enumerate(found):
            by_line.setdefault(occurrence.line, []).append(index)
        result = list(found)
        for indexes in by_line.values():
            spans = [span for i in indexes for span in ordered[i].candidate.parts.values()]
            line, previous = _lines_around(chunk.data, min(s for s, _ in spans), max(e for _, e in spans), spans)
            inline = allow.allowances(line, previous)
            if not inline:
                continue
            on_line = [(found[i].fingerprint, (str(found[i].kind), found[i].rule)) for i in indexes]
            for position, allowance in allow.decide(inline, on_line).items():
                if result[indexes[position]].allowance is None:
                    result[indexes[position]] = result[indexes[position]]._replace(allowance=allowance)
            if allow.ambiguous(inline, on_line):
                advice = Signal("allowance", 0, "the line holds several secrets: say which with keyward:allow[KIND] reason")
                for i in indexes:
                    result[i] = result[i]._replace(signals=(*result[i].signals, advice))
        return result


SMALL = 1 << 18
"""Bytes of a source that are read before it is decided how it is looked at."""

_PACKED_STARTS = (
    b"\x1f\x8b", b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08", b"PK00PK", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd",
    b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07",
)  # fmt: skip
_SPECIAL_STARTS = (
    *_PACKED_STARTS, b"SQLite format 3\0", b"%PDF-", b"!<arch>\ndebian", b"07070", b"\xed\xab\xee\xdb", b"From ", b"MSCF\0\0\0\0",
    b"\x04\x22\x4d\x18", b"LZIP\x01", b"\x89LZO\0\r\n", b"\x1f\x9d", b"hsqs", b"xar!\0\x1c", b"Return-Path:", b"Received:",
    b"Delivered-To:", b"MIME-Version:", b"Message-I", b"X-Original-To:", b"Date: ", b"Subject: ", b"To: ",
    b"_HiStOrY_V2_", b"# This viminfo file", b'{"log":"', b"Script started on ",
)  # fmt: skip
_SPECIAL_ENDINGS = frozenset(
    (
        "eml", "mht", "mhtml", "zip", "jar", "pyz", "pex", "exe", "xpi", "crx", "whl", "shiv", "zlib", "zz", "tar", "lzma",
        "pkl", "pickle", "p", "joblib", "cast", "out", "err",
    )
)  # fmt: skip
_ESCAPED_ENDINGS = frozenset(("json", "jsonl", "ndjson", "har", "ipynb", "json5", "webmanifest", "geojson"))
_TABLE_ENDINGS = frozenset(("sql", "csv", "tsv", "md", "mdx", "markdown"))
_LOG_STARTS = ("access", "error", "syslog", "messages", "screenlog", "tmux", "typescript", "npm-debug", ".log", ".git-cred")
_LOG_ENDINGS = ("_log", ".log", "typescript", "git/credentials")


_FIRST_BYTES = frozenset(start[:1] for start in _SPECIAL_STARTS)
_ORDINARY_ENDINGS = frozenset(
    (
        "py", "pyi", "js", "mjs", "ts", "tsx", "jsx", "map", "c", "h", "cc", "cpp", "hpp", "rs", "go", "java", "kt", "rb", "php", "cs",
        "swift", "sh", "css", "scss", "html", "rst", "yaml", "yml", "toml", "ini", "cfg", "conf", "xml", "svg", "so", "png",
        "jpg", "gif", "woff2",
    )
)  # fmt: skip


_COMPILED = ".pyc"


def worth_opening(path: str, data: bytes, touched: bool) -> bool:
    """Whether a source that was read in one go has to be opened, or read otherwise. A compiled module only where something in it looks like
    a secret but for what stands around it (`touched`): reading one as what it is takes ten times as long as looking through it."""
    return (touched or not path.endswith(_COMPILED)) and special(path, data)


def special(path: str, head: bytes) -> bool:
    """Whether a source of that name and beginning may be a container or have another reading, so that it is worth asking. Costs about a
    microsecond: it is asked of every file."""
    if (head[:1] in _FIRST_BYTES and head.startswith(_SPECIAL_STARTS)) or head[257:262] == b"ustar":
        return True
    name = path[path.rfind("/") + 1 :].lower()
    ending = name[name.rfind(".") + 1 :]
    if ending in _ORDINARY_ENDINGS:
        return False
    if ending in _TABLE_ENDINGS:
        from keyward.formats.readings.tables import is_table

        return is_table(ending, head)
    if ending in _ESCAPED_ENDINGS:
        return b"\\" in head or len(head) >= SMALL
    if ending == "pyc":
        return not _has_source(path)
    if ending in _SPECIAL_ENDINGS or (ending == "txt" and (b"T" in head[10:14] or _asks(head))):
        return True
    if name.startswith(_LOG_STARTS) or path.endswith(_LOG_ENDINGS):
        return True
    return "hist" in name or ".log" in name or "viminfo" in name or ".json" in name


def _asks(head: bytes) -> bool:
    """Whether people may ask for a credential in a text, and get it."""
    from keyward.formats.readings.answers import may_answer

    return may_answer(head)


def _has_source(path: str) -> bool:
    """Whether what a compiled module was made from lies where it should: then its constants are looked at there."""
    folder, _, name = path.rpartition("/")
    above, _, last = folder.rpartition("/")
    if last == "__pycache__":
        return os.path.exists(f"{above or '.'}/{name.partition('.')[0]}.py")
    return os.path.exists(path[:-1])


def _first(read: Read) -> bytes:
    """The beginning of a source: `SMALL` bytes or more, fewer if it has no more."""
    data = read(SMALL)
    while data and len(data) < SMALL:
        more = read(SMALL - len(data))
        if not more:
            break
        data += more
    return data


def _after(data: bytes, read: Read) -> Read:
    """A reader of what was read already, and then of the rest."""
    at = 0

    def joined(size: int) -> bytes:
        nonlocal at
        if at < len(data):
            piece = data[at : at + size]
            at += len(piece)
            return piece
        return read(size)

    return joined


def _sliced(data: bytes) -> Iterator[Chunk]:
    at = 0

    def read(size: int) -> bytes:
        nonlocal at
        piece = data[at : at + size]
        at += len(piece)
        return piece

    return chunks(read)


def _noting(chunks: Iterable[Chunk], heads: list[bytes]) -> Iterator[Chunk]:
    for chunk in chunks:
        if not heads:
            heads.append(chunk.data[:8])
        yield chunk


class Cursor:
    """Line and column of ascending offsets, without counting anything twice."""

    def __init__(self) -> None:
        self._line = 1
        self._column = 1
        self._at = 0

    def at(self, chunk: Chunk, offset: int) -> tuple[int, int]:
        """1-based line and column (in characters) of an offset in the chunk; offsets must not go back."""
        absolute = chunk.offset + offset
        start = self._at - chunk.offset
        data = chunk.data
        if start < 0:  # a hole that was left out: so many NULs
            self._column -= start
            start = 0
        newlines = data.count(b"\n", start, offset)
        if newlines:
            self._line += newlines
            self._column = 1
            start = data.rfind(b"\n", start, offset) + 1
        self._column += len(data[start:offset].decode("utf-8", "replace"))
        self._at = absolute
        return self._line, self._column

    def next_chunk(self, chunk: Chunk) -> None:
        """Moves to where the chunk's own region ends, from where the next chunk's matches can begin."""
        end = min(chunk.own_end, len(chunk.data))
        if end + chunk.offset > self._at:
            self.at(chunk, end)


def _lines_around(data: bytes, start: int, end: int, spans: list[tuple[int, int]]) -> tuple[bytes, bytes]:
    """The line (or lines) that the spans stand on, with the values blanked, and the line before."""
    low = max(data.rfind(b"\n", max(0, start - LINE_CONTEXT), start) + 1, max(0, start - LINE_CONTEXT))
    newline = data.find(b"\n", end, end + LINE_CONTEXT)
    high = newline if newline >= 0 else min(len(data), end + LINE_CONTEXT)
    line = bytearray(data[low:high])
    for s, e in spans:
        line[s - low : e - low] = b" " * (e - s)
    before = data[max(0, low - 1 - LINE_CONTEXT) : max(0, low - 1)]
    return bytes(line), before[before.rfind(b"\n") + 1 :]


def within(outer: str, inner: str) -> str:
    """The name of an encoding within another one."""
    return "+".join(name for name in (outer, inner) if name != "raw") or "raw"


def _facts(judged: Judged) -> tuple[tuple[str, str], ...]:
    describe = judged.candidate.kind.describe
    if describe is None:
        return ()
    try:
        return tuple(sorted((str(k), str(v)[:200]) for k, v in describe(judged.context.parts).items()))
    except Exception:  # a pack's code on hostile bytes: facts are a courtesy, the finding stands without them
        return ()
