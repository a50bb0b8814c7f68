"""`in-place`: a leaked value in a live configuration, replaced wherever it stands in that file.

Options: `path`, `format` (dotenv, json, json5, yaml, toml, ini, properties, or text; told by the file's name unless said), `mode`,
`break_links`, `reload`. Values inside URLs are percent-encoded, values of a known format are spelled as it demands, and the file must
parse as before. Where the spelling cannot be told, nothing is changed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from keyward.errors import ConfigError, ConsumerChanged, ConsumerError
from keyward.formats.document import Format
from keyward.formats.dotenv import Dotenv
from keyward.formats.ini import Ini
from keyward.formats.place import FormatError, Leaf
from keyward.plugin.consumer import Consumer, Holds, Values
from keyward.plugin.ports import Ports
from keyward.rotate.consumers.file_consumer import FILE_OPTIONS, file_place
from keyward.rotate.consumers.files import FilePlace
from keyward.rotate.consumers.names import NAMES_A_USER, format_by_name
from keyward.rotate.consumers.remote import Options
from keyward.rotate.consumers.spellings import SHORT, Swap, hits, replaced, swaps_of
from keyward.rotate.consumers.structured import format_named

FORMATS = ("dotenv", "json", "json5", "yaml", "toml", "ini", "properties", "text")


class InPlace:
    """`format` None: plain text."""

    type = "in-place"

    def __init__(self, place: FilePlace, format: Format | None) -> None:
        self.name = f"in-place {place.path}"
        self.place, self._format = place, format

    def ready(self) -> None:
        self.place.ready()

    def holds(self, values: Values) -> Holds:
        data = self.place.read()
        return Holds.NOTHING if data is None else self._holds(data, values)

    def _holds(self, data: bytes, values: Values) -> Holds:
        there = swaps_of(values.old, values.new)
        if not there:
            return Holds.NEW
        if self._hits(data, there):
            return Holds.OLD
        back = tuple(Swap(swap.part, swap.new, swap.old) for swap in there if len(swap.new) >= SHORT)
        return Holds.NEW if self._hits(data, back) else Holds.OTHER

    def _hits(self, data: bytes, swaps: tuple[Swap, ...]) -> bool:
        """Whether any stands there, as written or as the format reads it."""
        return bool(hits(data, swaps)) or any(hits(leaf.value, swaps) for leaf in self._leaves(data))

    def _leaves(self, data: bytes) -> list[Leaf]:
        try:
            return self._format.leaves(data) if self._format else []
        except FormatError as error:
            raise ConsumerError(f"{self.place.path}: {error}", hint="Correct it, or say `format`.") from None

    def apply(self, values: Values) -> str:
        return self.place.change(lambda data: self._edited(data, values)) or f"{self.place.path} has it already"

    def _edited(self, data: bytes | None, values: Values) -> bytes:
        if data is None:
            raise ConsumerError(f"{self.place.path} does not exist")
        held = self._holds(data, values)
        if held is Holds.OTHER:
            raise ConsumerChanged(f"{self.place.path} holds neither the old nor the new value")
        if held is Holds.NEW:
            return data
        swaps = swaps_of(values.old, values.new)
        changed, done = self._in_values(data, swaps)
        rest = hits(changed, swaps)
        if rest:  # comments, keys, and files of no known format
            before = self._leaves(changed)
            changed = replaced(changed, rest, decoded=self._format is not None)
            done |= {hit.swap.part for hit in rest}
            if [leaf[:2] for leaf in self._leaves(changed)] != [leaf[:2] for leaf in before]:
                raise ConsumerError(f"{self.place.path} would not parse as before", hint="Change that place by hand.")
        for swap in swaps:
            if swap.part not in done and re.search(rb"(?<!\w)" + re.escape(swap.old) + rb"(?!\w)", data):
                raise ConsumerError(
                    f"{self.place.path}: where part `{swap.part}` stands cannot be told, because it is short",
                    hint="Name the places by a consumer of the file's format.",
                )
        return changed

    def _in_values(self, data: bytes, swaps: tuple[Swap, ...]) -> tuple[bytes, set[str]]:
        """Replaces inside the values of a known format, from the last to the first, so that places stay right; and which parts
        were replaced. A short part may be all of a value whose key says that it is a user's name."""
        done: set[str] = set()
        for leaf in sorted(self._leaves(data), key=lambda each: -each.place.start):
            found = hits(leaf.value, swaps)
            value = replaced(leaf.value, found, decoded=True)
            done |= {hit.swap.part for hit in found}
            for swap in swaps:
                if leaf.value == swap.old and len(swap.old) < SHORT and leaf.path and NAMES_A_USER.search(leaf.path[-1]):
                    value = swap.new
                    done.add(swap.part)
            if value != leaf.value and self._format is not None:
                try:
                    data = self._format.replace_leaf(data, leaf, value)
                except FormatError as error:
                    raise ConsumerError(f"{self.place.path}: {error}") from None
        return data, done

    def verify(self, values: Values) -> str:
        held = self.holds(values)
        if held is not Holds.NEW:
            raise ConsumerError(f"{self.place.path} was read back and does not hold the new value ({held.value})")
        return f"{self.place.path} read back: the old value is gone, the new one is there"

    def rollback(self, values: Values) -> str:
        return self.apply(values._replace(old=values.new, new=values.old))


def make(table: Mapping[str, object], ports: Ports) -> Consumer:
    """The consumer of one table of the configuration. Raises ConfigError."""
    options = Options("in-place", table, (*(o for o in FILE_OPTIONS if o != "create"), "format"))
    place = file_place(options, ports)
    name = options.text("format", "") if "format" in options else format_by_name(place.path) or "text"
    if name not in FORMATS:
        raise ConfigError(f"consumer in-place: `format` must be one of {', '.join(FORMATS)}")
    return InPlace(place, document_format(name))


def document_format(name: str) -> Format | None:
    """The format by its name; None for plain text."""
    if name == "text":
        return None
    return Dotenv() if name == "dotenv" else Ini(percent="plain") if name == "ini" else format_named(name)
