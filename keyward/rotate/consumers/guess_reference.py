"""Proposes a reference in place of a leaked value, where whoever reads the configuration can resolve one.

| configuration | what stands there afterwards | where the value is |
|---|---|---|
| `openclaw.json` | `{source: exec, provider, id}` of its Vault plugin | the lane's store, if that is a Vault and the plugin is configured |
| `openclaw.json` | `{source: store, provider: default, id}` | OpenClaw's own secret store |
| Compose file | `${NAME}` | `.env` beside it |
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import NamedTuple

from keyward.errors import ConsumerError
from keyward.formats.place import FormatError, Path
from keyward.model.credential import SecretParts
from keyward.model.lane import ConsumerSpec, Entry
from keyward.rotate.consumers.files import MOST_BYTES
from keyward.rotate.consumers.guess import places_of
from keyward.rotate.consumers.in_place import document_format
from keyward.rotate.consumers.names import is_record
from keyward.rotate.consumers.openclaw_reference import PLUGIN, STORE, VAULT

_COMPOSE = re.compile(r"(?:docker-)?compose(?:\.[A-Za-z0-9_-]+)*\.ya?ml\Z")
_PART = re.compile(r"\{([A-Za-z0-9_-]+)\}\Z")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class Kept(NamedTuple):
    """Where the lane keeps the value. `vault`: whether OpenClaw's Vault plugin can read that store."""

    entry: Entry
    vault: bool = False


def is_reference(spec: ConsumerSpec) -> bool:
    """Whether a consumer replaces a value by a reference."""
    return spec.options.get("reference") is True or spec.options.get("place") == "reference"


def guess_reference(path: str, parts: SecretParts, data: bytes, kept: Kept) -> tuple[ConsumerSpec, ...]:
    """Consumers that replace every place of the value in this file by a reference; none where one of the places cannot be one.

    `path`: of the file on this machine. `data`: what it holds.
    """
    path = os.path.abspath(path)
    name = os.path.basename(path)
    if is_record(path):
        return ()
    try:
        if name == "openclaw.json":
            return _in_openclaw(path, data, parts, kept)
        if _COMPOSE.match(name):
            return _in_compose(path, data, parts)
    except (FormatError, ConsumerError):
        pass
    return ()


def _in_openclaw(path: str, data: bytes, parts: SecretParts, kept: Kept) -> tuple[ConsumerSpec, ...]:
    try:
        whole = json.loads(data)
    except ValueError:
        return ()  # OpenClaw's own command would rewrite it without its comments
    format = document_format("json5")
    assert format is not None
    provider = _vault_provider(whole) if kept.vault else ""
    specs = []
    for place, template in places_of(format, data, parts).items():
        part = _PART.match(template)
        if part is None or any("." in step for step in place):
            return ()
        options: dict[str, object] = {"place": "reference", "field": ".".join(place), "part": part[1], "config": path}
        options["state_dir"] = os.path.dirname(path)
        if provider:
            options |= {"source": VAULT, "provider": provider, "name": f"{kept.entry.path}/{part[1]}"}
        else:
            options |= {"source": STORE, "name": _store_name(kept.entry, part[1])}
        specs.append(ConsumerSpec("openclaw", options))
    return tuple(specs)


def _vault_provider(whole: object) -> str:
    """The name under which OpenClaw knows its Vault plugin; empty if it does not."""
    secrets = whole.get("secrets") if isinstance(whole, Mapping) else None
    providers = secrets.get("providers") if isinstance(secrets, Mapping) else None
    for name, provider in (providers or {}).items() if isinstance(providers, Mapping) else ():
        if isinstance(provider, Mapping) and provider.get("pluginIntegration") == PLUGIN:
            return str(name)
    return ""


def _store_name(entry: Entry, part: str) -> str:
    """An entry of OpenClaw's store: `BOT_OPENROUTER`, with the part where it is not the only secret one."""
    text = f"{entry.lane}_{entry.name}" + (f"_{part}" if part != "secret" else "")
    plain = re.sub("[^A-Z0-9]+", "_", text.upper()).strip("_")
    return (plain if plain[:1].isalpha() else f"K_{plain}")[:128]


def _in_compose(path: str, data: bytes, parts: SecretParts) -> tuple[ConsumerSpec, ...]:
    format = document_format("yaml")
    assert format is not None
    services: dict[str, dict[str, str]] = {}
    templates: dict[str, str] = {}
    for place, template in places_of(format, data, parts).items():
        named = _variable(format.read(data, place) or b"", place, template)
        if named is None:
            return ()
        service, name, value = named
        if templates.setdefault(name, value) != value:
            return ()  # two services have different values under one name
        services.setdefault(service, {})[name] = value
    if any(_is_set(os.path.join(os.path.dirname(path), ".env"), name) for name in templates):
        return ()
    return tuple(
        ConsumerSpec("compose", {"path": path, "service": s, "set": v, "reference": True}) for s, v in services.items()
    )


def _variable(held: bytes, place: Path, template: str) -> tuple[str, str, str] | None:
    """Service, variable and template of a place; None for one that is no variable of a service."""
    if len(place) != 4 or place[0] != "services" or place[2] != "environment":
        return None
    name, value = place[3], template
    if name.isdigit():
        name, found, value = template.partition("=")
        if not found or not held.startswith(name.encode() + b"="):
            return None
    return (place[1], name, value) if _VARIABLE.match(name) else None


def _is_set(path: str, name: str) -> bool:
    """Whether a file of variables has one already: somebody else may read it there."""
    try:
        with open(path, "rb") as file:
            data = file.read(MOST_BYTES)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    format = document_format("dotenv")
    assert format is not None
    return bool(format.readings(data, (name,)))
