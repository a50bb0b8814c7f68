"""Proposes a consumer for a leaked value that a scan found in a live configuration."""

from __future__ import annotations

import os
import re

from keyward.formats.document import Format
from keyward.formats.place import FormatError, Leaf, Path, format_path
from keyward.model.credential import SecretParts
from keyward.model.lane import ConsumerSpec
from keyward.rotate.consumers.in_place import document_format
from keyward.rotate.consumers.names import NAMES_A_USER, format_by_name, is_record
from keyward.rotate.consumers.spellings import SHORT, spelled
from keyward.rotate.consumers.template import Template


def guess_consumer(path: str, old_parts: SecretParts, data: bytes) -> ConsumerSpec | None:
    """A consumer that would write the new values into this file: of its format, with the places that hold the old ones; else
    `in-place`; None where the file is no configuration (a transcript, a log, a history, a backup) or does not hold the value.

    `path`: of the file on this machine. `data`: what it holds.
    """
    path = os.path.abspath(path)
    known = format_by_name(path)
    long = [secret.reveal() for secret in old_parts.values() if len(secret) >= SHORT]
    there = any(needle in data for value in long for needle in spelled(value).values())
    if is_record(path) or known is None or b"\0" in data or not there:
        return None
    in_place = ConsumerSpec("in-place", {"path": path})
    format = document_format(known)
    if format is None:
        return in_place
    try:
        places = places_of(format, data, old_parts)
    except FormatError:
        return ConsumerSpec("in-place", {"path": path, "format": "text"})
    if not places:
        return in_place
    profile = _aws_profile(path, places)
    if profile:
        return ConsumerSpec("aws-profile", {"path": path, "profile": profile})
    named = {(place[0] if known in ("dotenv", "properties") else format_path(place)): text for place, text in places.items()}
    options: dict[str, object] = {"path": path, "set": named}
    return ConsumerSpec(known, {**options, "percent": "plain"} if known == "ini" else options)


def places_of(format: Format, data: bytes, parts: SecretParts) -> dict[Path, str]:
    """Which place holds what, as templates; empty where the places alone would not tell all (a key that stands twice)."""
    leaves = format.leaves(data)
    found: dict[Path, str] = {}
    for leaf in leaves:
        template = _template(leaf, parts)
        if template is None:
            continue
        live = format.find(data, leaf.path)
        if live is None or live.place != leaf.place:
            continue  # a later assignment overrides it; `replace` changes both
        if Template(template).render(parts) in format.readings(data, leaf.path):
            found[leaf.path] = template
        else:
            return {}
    return found


def _template(leaf: Leaf, parts: SecretParts) -> str | None:
    """A value as a template over the parts; None if no part stands in it."""
    try:
        text = leaf.value.decode().replace("{", "{{").replace("}", "}}")
    except UnicodeDecodeError:
        return None
    whole = text
    named = sorted(parts.items(), key=lambda item: -len(item[1]))
    if "://" in text:
        text = _in_url(text, [(name, secret.reveal()) for name, secret in named])
    for name, secret in named:
        value = secret.reveal().decode("utf-8", "replace").replace("{", "{{").replace("}", "}}")
        exact = leaf.value == secret.reveal() and NAMES_A_USER.search(leaf.path[-1] if leaf.path else "")
        if value and (len(secret) >= SHORT or exact):
            text = re.sub(r"(?<![A-Za-z0-9_])" + re.escape(value) + r"(?![A-Za-z0-9_])", lambda _, n=name: f"{{{n}}}", text)  # type: ignore[misc]
    return None if text == whole else text


def _in_url(text: str, parts: list[tuple[str, bytes]]) -> str:
    """User name and password of a URL, percent-encoded there."""
    match = re.search(r"://(?P<user>[^:@/\s]*)(?::(?P<password>[^@/\s]*))?@", text)
    if match is None:
        return text
    for group in ("password", "user"):
        shown = match[group]
        for name, value in parts:
            if shown and shown in {spelled(value)[way].decode("utf-8", "replace") for way in ("raw", "url", "url, lower case")}:
                text = text[: match.start(group)] + f"{{{name}|url}}" + text[match.end(group) :]
                break
    return text


def _aws_profile(path: str, places: dict[Path, str]) -> str:
    """The profile, where all that was found are the keys of one profile of the AWS tools."""
    if os.path.basename(path) != "credentials" or os.path.basename(os.path.dirname(path)) != ".aws":
        return ""
    wanted = {"aws_access_key_id": "{id}", "aws_secret_access_key": "{secret}", "aws_session_token": "{session_token}"}
    profiles = {place[0] for place in places}
    fits = len(profiles) == 1 and all(len(p) == 2 and wanted.get(p[1]) == text for p, text in places.items())
    return profiles.pop() if fits and len(places) >= 2 else ""
