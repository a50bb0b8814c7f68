"""The consumer behind all that keep credentials in a file: settings at places of a format, changed together in one rename."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from keyward.errors import ConsumerChanged, ConsumerError
from keyward.formats.document import Format
from keyward.formats.place import FormatError, Path, format_path
from keyward.model.credential import SecretParts
from keyward.plugin.consumer import Holds, Values
from keyward.plugin.ports import Ports
from keyward.rotate.consumers.files import FilePlace
from keyward.rotate.consumers.remote import Options, together
from keyward.rotate.consumers.template import Template

FILE_OPTIONS = ("path", "create", "mode", "break_links")
"""What every consumer of a file understands: the file, whether it may be made, its permissions (`"0640"`; kept unless said),
and whether other hard links may keep the old content."""


class Setting(NamedTuple):
    """One place in the file, and what stands there."""

    path: Path
    template: Template


class FileConsumer:
    """Settings in one file. Subclasses may override where a setting stands (`located`) and what is written there (`text`)."""

    def __init__(self, type: str, place: FilePlace, format: Format, settings: Iterable[Setting]) -> None:
        self.type = type
        self.name = f"{type} {place.path}"
        self.place = place
        self.format = format
        self.settings = tuple(settings)

    def settings_for(self, values: Values) -> tuple[Setting, ...]:
        """The settings that these values need."""
        return self.settings

    def ready(self) -> None:
        self.place.ready()

    def holds(self, values: Values) -> Holds:
        data = self.place.read()
        return Holds.NOTHING if data is None else self._holds(data, values)

    def _holds(self, data: bytes, values: Values) -> Holds:
        return together(self._state(data, setting, values) for setting in self.settings_for(values))

    def located(self, data: bytes, setting: Setting) -> Path | None:
        """Where a setting stands in this file; None if nowhere."""
        return setting.path

    def text(self, value: bytes, setting: Setting, path: Path) -> bytes:
        """What is written at a place for a value."""
        return value

    def _state(self, data: bytes, setting: Setting, values: Values) -> Holds | None:
        new = setting.template.render(values.new)
        old = setting.template.render_if_possible(values.old)
        try:
            path = self.located(data, setting)
            held = frozenset() if path is None else self.format.readings(data, path)
            if path is None or not held:
                return Holds.NOTHING
            if self.text(new, setting, path) in held:
                return None if new == old else Holds.NEW
            if old is not None and self.text(old, setting, path) in held:
                return Holds.OLD
            return Holds.OTHER if (self.format.read(data, path) or b"").strip() else Holds.NOTHING
        except FormatError as error:
            raise self._wrong(error) from None

    def _wrong(self, error: FormatError) -> ConsumerError:
        return ConsumerError(f"{self.place.path}: {error}")

    def apply(self, values: Values) -> str:
        done = self.place.change(lambda data: self._edited(data, values))
        return done or f"{self.place.path} has it already"

    def _edited(self, data: bytes | None, values: Values) -> bytes:
        try:
            if data is None:
                return self.format.build({s.path: s.template.render(values.new) for s in self.settings_for(values)})
            if self._holds(data, values) is Holds.OTHER:
                raise ConsumerChanged(
                    f"{self.place.path} holds neither the old nor the new value",
                    hint="Find out who changed it; put the old value back, or correct the consumer in the configuration.",
                )
            for setting in self.settings_for(values):
                data = self._set(data, setting, values.old, values.new)
        except FormatError as error:
            raise self._wrong(error) from None
        return data

    def _set(self, data: bytes, setting: Setting, old: SecretParts, new: SecretParts) -> bytes:
        value, before = setting.template.render(new), setting.template.render_if_possible(old)
        path = self.located(data, setting)
        if path is None or not self.format.readings(data, path):
            return self.add(data, setting, value)
        text = self.text(value, setting, path)
        return self.format.replace(data, path, text, None if before is None else self.text(before, setting, path))

    def add(self, data: bytes, setting: Setting, value: bytes) -> bytes:
        """The file with a setting that it did not have."""
        return self.format.insert(data, setting.path, value)

    def verify(self, values: Values) -> str:
        held = self.holds(values)
        if held is not Holds.NEW:
            raise ConsumerError(f"{self.place.path} was read back and does not hold the new value ({held.value})")
        return (
            f"{self.place.path} read back: {', '.join(format_path(s.path) or 'all of it' for s in self.settings_for(values))}"
        )

    def rollback(self, values: Values) -> str:
        if not values.old:
            return f"{self.place.path} left as it is: there was no value before"
        return self.apply(values._replace(old=values.new, new=values.old))


def file_place(options: Options, ports: Ports, default: str | None = None) -> FilePlace:
    """The file that a consumer's options name."""
    mode = options.text("mode", "-")
    if mode != "-" and not re.fullmatch(r"0?[0-7]{3}", mode):
        raise options.wrong("mode", 'must be permissions in octal as text, such as "0640"')
    return FilePlace(
        options.text("path", default),
        ports,
        create=options.flag("create"),
        mode=None if mode == "-" else int(mode, 8),
        break_links=options.flag("break_links"),
    )


def settings_of(options: Options, *, paths: bool) -> tuple[Setting, ...]:
    """`set`: a template for each place; an empty one is `{secret}`. `paths`: whether the names are paths of a document."""
    from keyward.formats.place import parse_path

    found = []
    for name, text in options.names("set").items():
        try:
            path = parse_path(name) if paths else (name,)
        except FormatError as error:
            raise options.wrong("set", f"is wrong: {error}") from None
        found.append(Setting(path, Template(text or "{secret}")))
    if not found:
        raise options.wrong("set", 'is missing: which place gets what, for instance set = { API_TOKEN = "{secret}" }')
    return tuple(found)
