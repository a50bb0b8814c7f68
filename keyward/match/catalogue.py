"""Every rule's anchor, compiled once into one database and kept in the user's cache folder.

A few rules of the operator's, of a scanned project or of a third party's pack are compiled by themselves, into a second database: that takes
milliseconds where all together take seconds, and whoever writes a rule tries it often. The bytes are gone over twice then.

The cache key is computed without importing a pack: engine version, the files of the packs and of the matcher (name, size,
modification time), and the operator's own rules. The file is written atomically with mode 0600, is read only if it belongs
to this user and nobody else may write it, and never comes from a scanned tree.
"""

from __future__ import annotations

import marshal
import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, overload

from keyward.errors import PackError
from keyward.match.engine.anchor import Anchor
from keyward.match.paths import cache_folder, is_private, write_private
from keyward.registry import Registry, Unavailable, pack_files, plugin_files

FORMAT = 8

APART = 40
"""Own rules up to this number are compiled by themselves; of more (another scanner's whole configuration) the second pass would cost more than
compiling all together once."""

CACHED = re.compile(r"rules-[0-9a-f]{24}\.db")
"""The name of a file with compiled rules in the cache folder."""


class Entry(NamedTuple):
    """Where a numbered anchor comes from."""

    pack: str
    rule: str
    anchor: Anchor


class Entries(Sequence[Entry]):
    """The entries as they come out of the cache, each made when it is asked for: a clean scan asks for none."""

    def __init__(self, packed: Sequence[tuple[str, str, tuple[Any, ...]]]) -> None:
        self._packed = packed

    def __len__(self) -> int:
        return len(self._packed)

    @overload
    def __getitem__(self, number: int) -> Entry: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Entry]: ...
    def __getitem__(self, number: int | slice) -> Entry | Sequence[Entry]:
        if isinstance(number, slice):
            return Entries(self._packed[number])
        pack, rule, anchor = self._packed[number]
        return Entry(pack, rule, Anchor(*anchor))


class Apart(NamedTuple):
    """The rules that are compiled by themselves: the last `rules` of the entries, and the last `triggers` of the triggers. `left_out`: numbers of
    entries that count for nothing here."""

    database: bytes
    rules: int
    triggers: int
    left_out: frozenset[int] = frozenset()


class Catalogue(NamedTuple):
    """`database`: Hyperscan's serialised form, empty where Hyperscan is not there. `cached`: whether it came from the cache.
    `triggers`: what is looked for besides the rules, because something may be encoded there (`match.encoded`); numbered after the entries, with the
    trigger's name where a rule's would be."""

    entries: Sequence[Entry]
    database: bytes
    digest: str
    cached: bool
    triggers: Sequence[Entry] = ()
    apart: Apart | None = None


def load(registry: Registry, *, portable: bool = False, on_compile: Callable[[int], None] = lambda rules: None) -> Catalogue:
    """The catalogue of a registry's rules, from the cache if it is there and fits, else compiled and cached.

    `on_compile` is called with the number of rules before compiling. Raises RuleError for a rule that does
    not compile, PackError for a pack that does not load: what was asked for and is missing must not read as clean.
    """
    if not (registry.plugins or registry.user_rules or registry.disabled) or len(registry.user_rules) > APART:
        return _cached(registry, portable, lambda: build(registry, portable=portable, on_compile=on_compile))
    base = load(Registry(), portable=portable, on_compile=on_compile)
    own = _cached(registry, portable, lambda: _build_apart(registry, portable))
    off = registry.disabled
    left_out = (
        frozenset(n for n, entry in enumerate(base.entries) if entry.pack in off or entry.rule in off) if off else frozenset()
    )
    return Catalogue(
        (*base.entries, *own.entries), base.database, f"{base.digest}-{own.digest}", base.cached, (*base.triggers, *own.triggers),
        Apart(own.database, len(own.entries), len(own.triggers), left_out),
    )  # fmt: skip


def _cached(registry: Registry, portable: bool, make: Callable[[], Catalogue]) -> Catalogue:
    digest = _digest(registry, portable)
    path = os.path.join(cache_folder(), f"rules-{digest}.db")
    cached = _read(path)
    if cached is not None:
        return Catalogue(cached[0], cached[1], digest, True, cached[2])
    catalogue = make()
    packed = [[(e.pack, e.rule, tuple(e.anchor)) for e in entries] for entries in (catalogue.entries, catalogue.triggers)]
    if write_private(path, marshal.dumps((FORMAT, *packed, catalogue.database))):
        _forget_others(path)
    return catalogue._replace(digest=digest)


def build(registry: Registry, *, portable: bool = False, on_compile: Callable[[int], None] = lambda rules: None) -> Catalogue:
    """Compiles a catalogue, without the cache."""
    from keyward.match.encoded.triggers import triggers
    from keyward.match.engine.anchor_derivation import derive

    _check_loaded(registry, registry.names())
    entries = tuple(Entry(name, rule.id, derive(rule)) for name, rule in registry.rules())
    besides = tuple(Entry("", *trigger) for trigger in triggers(rule for _, rule in registry.rules()))
    if not portable:
        on_compile(len(entries))
    return Catalogue(entries, _compiled((*entries, *besides), portable), "", False, besides)


def _build_apart(registry: Registry, portable: bool) -> Catalogue:
    """The rules that are not keyward's, with what they need besides its triggers."""
    from keyward.match.encoded.triggers import further_triggers
    from keyward.match.engine.anchor_derivation import derive

    names = [name for name in registry.names() if name == "user" or name.startswith("plugin:")]
    _check_loaded(registry, names)
    rules = list(registry.rules(names))
    entries = tuple(Entry(name, rule.id, derive(rule)) for name, rule in rules)
    besides = tuple(Entry("", *trigger) for trigger in further_triggers(rule for _, rule in rules))
    return Catalogue(entries, _compiled((*entries, *besides), portable), "", False, besides)


def _check_loaded(registry: Registry, names: Sequence[str]) -> None:
    for name in names:
        pack = registry.pack(name)
        if isinstance(pack, Unavailable):
            raise PackError(f"detector pack {pack.name} cannot be loaded: {pack.reason}", hint="See: keyward plugins list")


def _compiled(entries: Sequence[Entry], portable: bool) -> bytes:
    if portable or not entries:
        return b""
    from keyward.match.engine.vectorscan import compile_database

    return compile_database([entry.anchor for entry in entries], [entry.rule for entry in entries])


def _digest(registry: Registry, portable: bool) -> str:
    blake2b = _blake2b()
    facts: list[Any] = [FORMAT, sys.version_info[:2], portable, registry.key]
    if not portable:
        import hyperscan

        facts.append(getattr(hyperscan, "__version__", ""))
    for folder in sorted({os.path.dirname(path) for _, path in pack_files()}):
        facts.extend(_stat(os.path.join(folder, name)) for name in sorted(os.listdir(folder)) if name.endswith(".py"))
    if registry.plugins:
        facts.extend(_stat(path) for path in plugin_files(registry.plugins))
    here = os.path.dirname(__file__)
    for name in (
        "engine/anchor_derivation.py",
        "engine/edges.py",
        "engine/rarest.py",
        "engine/vectorscan.py",
        "catalogue.py",
        "encoded/triggers.py",
        "encoded/marks.py",
        "encoded/images.py",
    ):
        facts.append(_stat(os.path.join(here, name)))
    digest: str = blake2b(repr(facts).encode(), digest_size=12).hexdigest()
    return digest


def _blake2b() -> Any:
    """The hash without `hashlib`, which loads OpenSSL for it: 5 ms of every commit."""
    try:
        from _blake2 import blake2b
    except ImportError:
        from hashlib import blake2b
    return blake2b


def _stat(path: str) -> tuple[str, int, int]:
    status = os.stat(path)
    return (path, status.st_size, status.st_mtime_ns)


def _read(path: str) -> tuple[Sequence[Entry], bytes, Sequence[Entry]] | None:
    try:
        with open(path, "rb") as file:
            if not is_private(os.fstat(file.fileno())):
                return None
            version, *held = marshal.loads(file.read())
        if version != FORMAT:
            return None
        _keep(path)
        packed, besides, database = held
        return Entries(packed), database, Entries(besides)
    except (OSError, ValueError, EOFError, TypeError):
        return None


def _keep(path: str) -> None:
    """Notes that a database was used: the ones that are not are forgotten."""
    try:
        os.utime(path)
    except OSError:  # a cache that can only be read
        pass


def _forget_others(path: str) -> None:
    """Keeps the four databases that were used last: one for each set of rules that somebody switches between."""
    folder = os.path.dirname(path)
    try:
        with os.scandir(folder) as entries:
            others = [(e.stat().st_mtime_ns, e.path) for e in entries if e.name.startswith("rules-") and e.path != path]
        for _, old in sorted(others)[:-3]:
            os.unlink(old)
    except OSError:
        pass
