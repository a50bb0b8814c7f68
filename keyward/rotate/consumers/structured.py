"""`json`, `json5` (JSONC too), `yaml`, `toml`, `ini`, `properties` and `file`: values at paths of a document.

Options: `path`, `set` (`{ "a.b.0" = "{part}" }`; for ini `section.key`; for properties the key), `create`, `mode`, `break_links`,
`reload`. `ini` has `percent` as well: what a `%` in a value means to the reader (`plain`, or `double` for configparser's
interpolation). `file` has `template` in place of `set`: the file is one value.
"""

from __future__ import annotations

from collections.abc import Mapping

from keyward.errors import ConfigError
from keyward.formats.document import Format
from keyward.formats.place import FormatError
from keyward.plugin.consumer import Consumer
from keyward.plugin.ports import Ports
from keyward.rotate.consumers.file_consumer import FILE_OPTIONS, FileConsumer, Setting, file_place, settings_of
from keyward.rotate.consumers.remote import Options
from keyward.rotate.consumers.template import Template


def format_named(type: str, *, percent: str = "refuse") -> Format:
    """The format of a consumer's type. Raises ConfigError."""
    from keyward.formats.ini import PROPERTIES, Ini
    from keyward.formats.json5 import JSON, JSON5
    from keyward.formats.toml import TOML
    from keyward.formats.whole import WHOLE
    from keyward.formats.yaml import YAML_FORMAT

    if type == "ini":
        try:
            return Ini(percent=percent)
        except FormatError as error:
            raise ConfigError(f"consumer ini: {error}") from None
    formats: dict[str, Format] = {
        "json": JSON, "json5": JSON5, "yaml": YAML_FORMAT, "toml": TOML, "properties": PROPERTIES, "file": WHOLE,
    }  # fmt: skip
    return formats[type]


def make(table: Mapping[str, object], ports: Ports, *, type: str) -> Consumer:
    """The consumer of one table of the configuration. Raises ConfigError."""
    own = {"ini": ("set", "percent"), "file": ("template",)}.get(type, ("set",))
    options = Options(type, table, (*FILE_OPTIONS, *own))
    format = format_named(type, percent=options.text("percent", "refuse"))
    if type == "file":
        settings: tuple[Setting, ...] = (Setting((), Template(options.text("template", "{secret}"))),)
    else:
        settings = settings_of(options, paths=type != "properties")
    return FileConsumer(type, file_place(options, ports), format, settings)
