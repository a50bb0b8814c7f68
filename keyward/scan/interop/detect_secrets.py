"""Runs plugins of detect-secrets, the user's own too, as detectors, by that package itself (extra `interop`).

A plugin is somebody's Python code: it is loaded only where the operator names it, never because a scanned tree does, and never from a
file that others may change. It is given one line after the other; its `verify`, which would ask a provider, is switched off. That is slow,
some 10 µs a line and plugin where a pattern of keyward's costs next to nothing, so it is bounded: text only, each different line of a
file once, long lines in pieces, `SECONDS` for a file. A plugin that takes longer or raises is named as having given up on the file.

Facts from the source of detect-secrets 1.5 (`plugins/base.py`, `core/plugins/util.py`, `settings.py`).
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from keyward.errors import ConfigError, MissingExtra
from keyward.match.assemble import Candidate, most_specific
from keyward.match.judge import context_of, judge
from keyward.match.matcher import Judged
from keyward.match.paths import is_private
from keyward.model.kind import CredentialKind, Kind
from keyward.model.rule import GENERIC, STRUCTURAL, Rule
from keyward.scan.interop.translated import NoText

SECONDS = 10.0
"""For all plugins together in one file, or one piece of 8 MB of a larger one."""

LONGEST_LINE = 2_000
"""Characters that a plugin is given at once; a longer line comes in pieces that overlap by `OVERLAP`."""
OVERLAP = 500
SHORTEST_LINE = 6

PREFIX = "detect-secrets/"
_GENERIC = frozenset(("KeywordDetector", "Base64HighEntropyString", "HexHighEntropyString"))
"""Plugins that find by name or by chance only; what they find is judged as keyward judges its own generic findings."""

_LINE = re.compile(rb"[^\n]+")


class Loaded(NamedTuple):
    """A plugin that is ready to be asked, and the rule and kind that its findings bear."""

    plugin: Any
    rule: Rule
    kind: CredentialKind


def load(names: Sequence[str]) -> list[Loaded]:
    """The plugins in files (`…/acme.py`) and those of detect-secrets' own that are named by their class.

    Raises MissingExtra without the package, ConfigError for a name or file that holds no plugin, does not load or is not the user's own.
    """
    try:
        from detect_secrets import plugins as own
        from detect_secrets.core.plugins.util import get_plugins_from_file, get_plugins_from_module
        from detect_secrets.util.importlib import get_modules_from_package
    except ImportError:
        raise MissingExtra("detect-secrets", "interop") from None
    from importlib import import_module

    built_in: dict[str, Any] = {}
    for module in get_modules_from_package(own):
        offered: list[Any] = list(get_plugins_from_module(import_module(module)))
        built_in.update((plugin.__name__, plugin) for plugin in offered)
    classes: list[Any] = []
    for name in names:
        if not name.endswith(".py"):
            if name not in built_in:
                raise ConfigError(f"detect-secrets has no plugin {name!r}", hint=_near(name, built_in))
            classes.append(built_in[name])
            continue
        _check_file(name)
        try:
            offered = list(get_plugins_from_file(name))
        except Exception as error:  # somebody's code: whatever it raises is a reason
            raise ConfigError(f"the plugin does not load: {type(error).__name__}", path=name) from None
        found = [each for each in offered if each.__name__ not in built_in]  # what it imports from the package is in it too
        if not found:
            raise ConfigError(
                "there is no plugin of detect-secrets in it", path=name, hint="It is a class of the package's BasePlugin."
            )
        classes.extend(found)
    return [_made(each) for each in dict.fromkeys(classes)]


def _check_file(path: str) -> None:
    try:
        status = os.stat(path)
    except OSError:
        raise ConfigError("there is no such file", path=path, hint="Check the path of the plugin.") from None
    if not is_private(status):
        hint = "Make it yours, with `chmod go-w` on it."
        raise ConfigError("others can change this file, which is code that keyward would run", path=path, hint=hint)


def _near(name: str, known: Sequence[str] | dict[str, Any]) -> str:
    from keyward.formats.toml_file import nearest

    return nearest(name, known)


def _made(plugin_class: Any) -> Loaded:
    try:
        plugin = plugin_class()
    except Exception as error:
        raise ConfigError(f"the plugin {plugin_class.__name__} does not start: {type(error).__name__}") from None
    plugin.verify = _unverified
    title = " ".join(str(plugin_class.secret_type).split())[:100] or plugin_class.__name__
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or plugin_class.__name__.lower()
    generic = plugin_class.__name__ in _GENERIC
    kind = CredentialKind(Kind(PREFIX + slug), title, "medium" if generic else "high")
    rule = Rule(
        kind.name,
        kind.name,
        rb"(?!)",  # found by the plugin, not by a pattern
        examples=[NoText()],
        near_misses=[NoText()],
        score=50 if generic else 65,
        specificity=GENERIC if generic else STRUCTURAL,
        trusted=False,
    )
    return Loaded(plugin, rule, kind)


def _unverified(secret: str) -> Any:
    """Stands in for a plugin's `verify`, so that no secret leaves the process."""
    from detect_secrets.constants import VerifiedResult

    return VerifiedResult.UNVERIFIED


# the package asks a function by this which of its arguments it takes (`util/inject.py`)
setattr(_unverified, "injectable_variables", frozenset(("secret",)))  # noqa: B010


class PluginRunner:
    """Asks plugins about text. One per process. `clock`: seconds."""

    def __init__(
        self, loaded: Sequence[Loaded], *, clock: Callable[[], float] = time.monotonic, seconds: float = SECONDS
    ) -> None:
        self._loaded = tuple(loaded)
        self._clock = clock
        self._seconds = seconds

    def joined(self, data: Any, path: str, judged: list[Judged]) -> tuple[list[Judged], list[str]]:
        """What was found already, and what the plugins find where nothing more specific stands; and the plugins that gave up."""
        found, gave_up = self._found(bytes(data), path)
        if not found:
            return judged, gave_up
        every = [*judged, *found]
        kept = most_specific([each.candidate for each in every], [each.confidence for each in every])
        return [every[index] for index in kept], gave_up

    def _found(self, data: bytes, path: str) -> tuple[list[Judged], list[str]]:
        if b"\0" in data[:8192]:
            return [], []
        found: dict[tuple[str, int], Judged] = {}
        failed: dict[str, None] = {}
        answers: dict[str, list[tuple[Loaded, str]]] = {}
        until = self._clock() + self._seconds
        for number, (start, text) in enumerate(_pieces(data), 1):
            if text not in answers:
                if self._clock() > until:
                    failed.update((each.rule.id, None) for each in self._loaded)
                    break
                answers[text] = list(self._asked(text, path, number, failed))
            for each, value in answers[text]:
                span = _place(data, start, text, value)
                candidate = Candidate(each.rule, each.kind, "secret", span, {"secret": span})
                context = context_of(candidate, data, path)
                found[each.rule.id, span[0]] = Judged(candidate, context, *judge(context))
        return [each for each in found.values() if each.confidence > 0], list(failed)

    def _asked(self, text: str, path: str, number: int, failed: dict[str, None]) -> Iterator[tuple[Loaded, str]]:
        for each in self._loaded:
            if each.rule.id in failed:
                continue
            try:
                answers = each.plugin.analyze_line(filename=path, line=text, line_number=number) or ()
                values = sorted({str(answer.secret_value) for answer in answers if answer.secret_value})
            except Exception:  # what it raises may quote the line, so only that it did is told
                failed[each.rule.id] = None
                continue
            yield from ((each, value) for value in values)


def _pieces(data: bytes) -> Iterator[tuple[int, str]]:
    """The lines with the offset of each, long ones in pieces."""
    for found in _LINE.finditer(data):
        line = found[0]
        if len(line) <= LONGEST_LINE:
            if len(line.strip()) >= SHORTEST_LINE:
                yield found.start(), line.decode("utf-8", "replace")
            continue
        for at in range(0, max(1, len(line) - OVERLAP), LONGEST_LINE - OVERLAP):
            yield found.start() + at, line[at : at + LONGEST_LINE].decode("utf-8", "replace")


def _place(data: bytes, start: int, text: str, value: str) -> tuple[int, int]:
    """Where a value stands; the whole line where the plugin changed what it found."""
    size = len(text.encode("utf-8", "replace"))
    encoded = value.encode("utf-8", "replace")
    at = data.find(encoded, start, start + size)
    if at >= 0:
        return at, at + len(encoded)
    end = data.find(b"\n", start, start + size)
    return start, end if end >= 0 else min(len(data), start + size)
