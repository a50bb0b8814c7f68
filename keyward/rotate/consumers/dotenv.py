"""`dotenv`: variables in a `.env` file.

Options: `path`, `set` (`{ NAME = "{part}" }`), `dialect` (who reads the file: any, python, node, shell, compose, systemd, docker; `any`
unless said), `create`, `mode`, `break_links`, `reload`.
"""

from __future__ import annotations

from collections.abc import Mapping

from keyward.formats.dotenv import Dotenv
from keyward.formats.place import FormatError
from keyward.plugin.consumer import Consumer
from keyward.plugin.ports import Ports
from keyward.rotate.consumers.file_consumer import FILE_OPTIONS, FileConsumer, file_place, settings_of
from keyward.rotate.consumers.remote import Options


def make(table: Mapping[str, object], ports: Ports) -> Consumer:
    """The consumer of one table of the configuration. Raises ConfigError."""
    options = Options("dotenv", table, (*FILE_OPTIONS, "set", "dialect"))
    try:
        format = Dotenv(options.text("dialect", "any"))
    except FormatError as error:
        raise options.wrong("dialect", f"is wrong: {error}") from None
    return FileConsumer("dotenv", file_place(options, ports), format, settings_of(options, paths=False))
