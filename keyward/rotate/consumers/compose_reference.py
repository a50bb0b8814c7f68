"""`compose` with `reference = true`: a value in a Compose file becomes `${NAME}`, and stands in the project's `.env` from then on.

Compose files are shared and committed, `.env` beside them is not; and the next rotation changes that one line alone.

Options: those of `compose`, and `env_file` (the file from which Compose takes variables; `.env` beside the Compose file unless said).
The variable in `.env` has the name of the container's. Where it is there already and holds something else, nothing is changed.

`.env` is written first: killed in between, the service has its old value, and the next run ends what was begun. Taken back, the
reference stays, and the old value stands behind it.
Sources: Compose file reference, "Interpolation"; Docker docs, "Set environment variables", ".env file".
"""

from __future__ import annotations

import os

from keyward.errors import ConsumerChanged, ConsumerError
from keyward.formats.dotenv import Dotenv
from keyward.formats.place import FormatError
from keyward.formats.yaml import YAML_FORMAT
from keyward.plugin.consumer import Holds, Values
from keyward.plugin.ports import Ports
from keyward.rotate.consumers.docker_env import variable_path
from keyward.rotate.consumers.file_consumer import FileConsumer, Setting, file_place, settings_of
from keyward.rotate.consumers.files import FilePlace
from keyward.rotate.consumers.remote import Options, together


class ComposeReference:
    """`place`: the Compose file. `variables`: the consumer of the file with the values."""

    type = "compose"

    def __init__(self, place: FilePlace, service: str, settings: tuple[Setting, ...], variables: FilePlace) -> None:
        self.name = f"compose {place.path} {service}"
        self.place, self._service, self._settings = place, service, settings
        self._variables = FileConsumer("compose", variables, Dotenv("compose"), settings)

    def ready(self) -> None:
        self.place.ready()
        self._variables.ready()

    def holds(self, values: Values) -> Holds:
        data = self.place.read()
        if data is None:
            return Holds.NOTHING
        return together(self._state(data, setting, values) for setting in self._settings)

    def _state(self, data: bytes, setting: Setting, values: Values) -> Holds | None:
        name = setting.path[0]
        held = self._text(data, name)
        alone = FileConsumer("compose", self._variables.place, self._variables.format, (setting,))
        behind = alone.holds(values)
        if behind is Holds.OTHER or held in _references(name):
            return behind
        new, old = setting.template.render(values.new), setting.template.render_if_possible(values.old)
        if held.replace(b"$$", b"$") in (new, old):
            return Holds.OLD  # also where it is the new one: it is to become a reference yet
        return Holds.OTHER if held else Holds.NOTHING

    def _text(self, data: bytes, name: str) -> bytes:
        """What the service has for a variable, as it is written: a value with `$` doubled, or a reference."""
        try:
            path, listed = variable_path(self.place.path, data, self._service, name)
            text = YAML_FORMAT.read(data, path) or b""
        except FormatError as error:
            raise ConsumerError(f"{self.place.path}: {error}") from None
        return text.partition(b"=")[2] if listed else text

    def apply(self, values: Values) -> str:
        self._refuse_other(values)
        done = [self._variables.apply(values), self.place.change(self._referring)]
        return "; ".join(text for text in done if text)

    def _refuse_other(self, values: Values) -> None:
        if self.holds(values) is Holds.OTHER:
            raise ConsumerChanged(
                f"{self.place.path} or {self._variables.place.path} holds neither the old nor the new value",
                hint="Find out who changed it; put the old value back, or correct the consumer in the configuration.",
            )

    def _referring(self, data: bytes | None) -> bytes:
        """The Compose file with references in place of the values."""
        if data is None:
            raise ConsumerError(f"{self.place.path} does not exist")
        for setting in self._settings:
            name = setting.path[0]
            if self._text(data, name) in _references(name):
                continue
            try:
                path, listed = variable_path(self.place.path, data, self._service, name)
                data = YAML_FORMAT.replace(data, path, (f"{name}=" if listed else "").encode() + _reference(name))
            except FormatError as error:
                raise ConsumerError(f"{self.place.path}: {error}") from None
        return data

    def verify(self, values: Values) -> str:
        if self.holds(values) is not Holds.NEW:
            raise ConsumerError(f"{self.place.path} was read back and does not lead to the new value")
        return f"{self.place.path} read back: it refers to {self._variables.place.path}, which holds the new value"

    def rollback(self, values: Values) -> str:
        self._refuse_other(values)
        return f"{self._variables.rollback(values)}; {self.place.path} still refers to it"


def _reference(name: str) -> bytes:
    return f"${{{name}}}".encode()


def _references(name: str) -> tuple[bytes, bytes]:
    """Both ways in which Compose writes one."""
    return _reference(name), f"${name}".encode()


def make_compose_reference(options: Options, ports: Ports) -> ComposeReference:
    """The consumer of one table. Raises ConfigError."""
    place = file_place(options, ports)
    variables = options.text("env_file", os.path.join(os.path.dirname(place.path), ".env"))
    settings = settings_of(options, paths=False)
    return ComposeReference(place, options.text("service"), settings, FilePlace(variables, ports, create=True))
