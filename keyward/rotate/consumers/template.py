"""Templates: how a value is put together from a credential's parts, `"postgres://{username|url}:{password|url}@db/app"`.

`{part}` is replaced by the part, `{part|filter|…}` by what the filters make of it; `{{` and `}}` are braces.
"""

from __future__ import annotations

import base64
import json
import re
import shlex
from collections.abc import Callable, Mapping
from urllib.parse import quote_from_bytes

from keyward.errors import ConfigError, ConsumerError
from keyward.model.credential import SecretParts

_PIECE = re.compile(r"\{\{|\}\}|\{([A-Za-z0-9_-]+)((?:\|[a-z0-9]+)*)\}|[{}]")


def _json(value: bytes) -> bytes:
    return json.dumps(value.decode(), ensure_ascii=False)[1:-1].encode()


FILTERS: Mapping[str, Callable[[bytes], bytes]] = {
    "url": lambda value: quote_from_bytes(value, safe="").encode(),
    "json": _json,
    "shell": lambda value: shlex.quote(value.decode()).encode(),
    "base64": base64.b64encode,
    "hex": lambda value: value.hex().encode(),
    "strip": lambda value: value.strip(),
}
"""`url`: percent-encoded. `json`: escaped as inside a JSON string. `shell`: one word of a shell. `strip`: without blanks and line
ends around it."""


class Template:
    """A parsed template. Raises ConfigError for one that is wrong."""

    def __init__(self, text: str = "{secret}") -> None:
        self.text = text
        self._pieces: list[tuple[bytes, str, tuple[str, ...]]] = []
        at, literal = 0, ""
        for match in _PIECE.finditer(text):
            literal += text[at : match.start()]
            at = match.end()
            if match.group() in ("{{", "}}"):
                literal += match.group()[0]
                continue
            if match[1] is None:
                raise ConfigError(f"the template {text!r} has a lone brace", hint="Write {{ or }} for a brace.")
            filters = tuple(match[2].split("|")[1:])
            unknown = [name for name in filters if name not in FILTERS]
            if unknown:
                raise ConfigError(
                    f"the template {text!r} names the filter {unknown[0]!r}", hint=f"There are: {', '.join(FILTERS)}."
                )
            self._pieces.append((literal.encode(), match[1], filters))
            literal = ""
        self._tail = (literal + text[at:]).encode()
        if not self._pieces:
            raise ConfigError(f"the template {text!r} names no part of the credential", hint="Write for instance {secret}.")

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that it needs."""
        return tuple(dict.fromkeys(name for _, name, _ in self._pieces))

    def render(self, parts: SecretParts) -> bytes:
        """The value. Raises ConsumerError for a part that the credential does not have or that a filter cannot take."""
        out = b""
        for literal, name, filters in self._pieces:
            if name not in parts:
                has = ", ".join(sorted(parts)) or "nothing"
                raise ConsumerError(
                    f"the credential has no part `{name}`; it has: {has}", hint="Correct `set` of the consumer."
                )
            value = parts[name].reveal()
            try:
                for each in filters:
                    value = FILTERS[each](value)
            except UnicodeDecodeError:
                raise ConsumerError(f"the part `{name}` is not text, as its filter needs") from None
            out += literal + value
        return out + self._tail

    def render_if_possible(self, parts: SecretParts) -> bytes | None:
        """The value; None where a part is missing."""
        return self.render(parts) if all(name in parts for name in self.parts) else None
