"""`keyward init`: a first configuration from what a scan found."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from keyward.errors import KeywardError, UsageError
from keyward.flows.leaked_parts import leaked_parts
from keyward.match.paths import config_file
from keyward.model.lane import ConsumerSpec
from keyward.registry import Registry
from keyward.rotate.found import Found, Report, read_report
from keyward.rotate.init_config import write_config
from keyward.scan.reread import reread

LARGEST = 8 << 20


class Written(NamedTuple):
    """`path`: empty where the text was only made. `credentials`: how many it names."""

    path: str
    text: str
    credentials: int


def init(report: str, output: str | None = None) -> Written:
    """Writes the configuration from a report, for a file of mode 0600; only makes the text for the output `-`.

    Raises UsageError for a file that is there already, ConfigError for a report that is none.
    """
    target = "" if output == "-" else os.path.abspath(os.path.expanduser(output or config_file()))
    if target and os.path.lexists(target):
        raise UsageError(f"{target!r} is there already, and stays", hint="See what would be written with: --output -")
    read = read_report(report)
    registry = Registry()

    def consumer_of(found: Found) -> ConsumerSpec | None:
        return _consumer_of(read, found, registry)

    text = write_config(read, kind_of=registry.known, rotator_of=registry.rotator, consumer_of=consumer_of, base=os.getcwd())
    if target:
        _create(target, text)
    return Written(target, text, len(read.fingerprints()))


def _consumer_of(report: Report, found: Found, registry: Registry) -> ConsumerSpec | None:
    """The consumer that would write the value at a place, from where exactly the value stands in the file."""
    from keyward.rotate.consumers.guess import guess_consumer

    path = os.path.abspath(found.path)
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST)
        here = report._replace(found=(found,))
        spec = guess_consumer(path, leaked_parts(here, found.fingerprint, registry.known(found.kind)), data)
    except (OSError, KeywardError):
        return None
    # a template keeps the text around the value, and another credential may be part of that
    others = [value.reveal() for each in report.found if each.path == found.path and (value := reread(each.locator))]
    if spec is not None and any(value.decode("utf-8", "replace") in text for value in others for text in _texts(spec.options)):
        return ConsumerSpec("in-place", {"path": path})
    return spec


def _texts(value: object) -> Iterator[str]:
    """Every text in the options of a consumer."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from (*_texts(key), *_texts(item))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
    else:
        yield str(value)


def _create(path: str, text: str) -> None:
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise UsageError(f"cannot write {path!r}: {(error.strerror or '').lower()}") from None
