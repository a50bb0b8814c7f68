"""`docker-env`: a file for docker run's `--env-file`. `compose`: the environment of one service in a Compose file.

`docker-env` options: `path`, `set`, `create`, `mode`, `break_links`, `reload`. That file has no quotes: a value is everything behind the `=`.

`compose` options: `path` (the Compose file), `service`, `set` (`{ NAME = "{part}" }`), `mode`, `break_links`, `reload` (for instance
`["docker", "compose", "up", "-d"]`). `environment` may be a map or a list. Where the service has a variable from an `env_file`, name that
file as a `dotenv` consumer with `dialect = "compose"`. A `$` is written as `$$`; a value that Compose takes from
elsewhere (`${NAME}`) is refused, unless `reference = true` says that it shall: see `compose_reference`.
Sources: docker run reference, "--env-file"; Compose file reference, "environment", "env_file", "Interpolation".
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from keyward.errors import ConsumerError
from keyward.formats.dotenv import Dotenv
from keyward.formats.place import FormatError, Path
from keyward.formats.yaml import YAML_FORMAT
from keyward.plugin.consumer import Consumer
from keyward.plugin.ports import Ports
from keyward.rotate.consumers.file_consumer import FILE_OPTIONS, FileConsumer, Setting, file_place, settings_of
from keyward.rotate.consumers.files import FilePlace
from keyward.rotate.consumers.remote import Options


def make_docker_env(table: Mapping[str, object], ports: Ports) -> Consumer:
    """The `docker-env` consumer of one table of the configuration. Raises ConfigError."""
    options = Options("docker-env", table, (*FILE_OPTIONS, "set"))
    return FileConsumer("docker-env", file_place(options, ports), Dotenv("docker"), settings_of(options, paths=False))


class Compose(FileConsumer):
    """Settings are names of variables; where each stands is looked up in the service."""

    def __init__(self, place: FilePlace, service: str, settings: tuple[Setting, ...]) -> None:
        super().__init__("compose", place, YAML_FORMAT, settings)
        self.name = f"compose {place.path} {service}"
        self._service = service

    def located(self, data: bytes, setting: Setting) -> Path | None:
        variable = setting.path[0]
        found, _ = variable_path(self.place.path, data, self._service, variable)
        value = self.format.read(data, found) or b""
        if b"$" in value.replace(b"$$", b""):
            raise FormatError(
                f"{variable} is taken from elsewhere by a `$`; name the place that it comes from, or say reference = true"
            )
        return found

    def text(self, value: bytes, setting: Setting, path: Path) -> bytes:
        escaped = value.replace(b"$", b"$$")
        listed = path[-1] != setting.path[0]
        return setting.path[0].encode() + b"=" + escaped if listed else escaped


def variable_path(file: str, data: bytes, service: str, variable: str) -> tuple[Path, bool]:
    """Where a service's variable stands in a Compose file, and whether in a list (`NAME=value`). `file`: for messages.

    Raises ConsumerError where it is not set there.
    """
    base: Path = ("services", service, "environment")
    found: Path | None = None
    inside = False
    for leaf in YAML_FORMAT.leaves(data):
        inside = inside or leaf.path[:2] == base[:2]
        if leaf.path == (*base, variable) or (
            leaf.path[:-1] == base and leaf.value.partition(b"=")[0] == variable.encode() and b"=" in leaf.value
        ):
            found = leaf.path
    if found is None:
        what = "" if inside else f": there is no service {service}"
        raise ConsumerError(
            f"{file} does not set {variable} in the service's `environment`{what}",
            hint='If it comes from an `env_file`, name that file as a dotenv consumer with dialect = "compose".',
        )
    return found, found[-1] != variable


def make_compose(table: Mapping[str, object], ports: Ports) -> Consumer:
    """The `compose` consumer of one table of the configuration. Raises ConfigError."""
    options = Options(
        "compose", table, (*(o for o in FILE_OPTIONS if o != "create"), "set", "service", "reference", "env_file")
    )
    if options.flag("reference"):
        from keyward.rotate.consumers.compose_reference import make_compose_reference

        return make_compose_reference(options, ports)
    return Compose(file_place(options, ports), options.text("service"), settings_of(options, paths=False))


def env_files(compose: str, data: bytes, service: str) -> tuple[str, ...]:
    """The files that a service's `env_file` names, in their order; the last one that has a variable wins."""
    base = ("services", service, "env_file")
    names = [
        leaf.value.decode()
        for leaf in YAML_FORMAT.leaves(data)
        if leaf.path == base or leaf.path[:-1] == base or (leaf.path[:3] == base and leaf.path[-1] == "path")
    ]
    return tuple(os.path.join(os.path.dirname(compose), name) for name in names)
