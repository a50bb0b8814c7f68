"""Images as `docker save` and OCI tools write them: which file of the tar is which layer.

Facts: the image tarball of `docker save` has `manifest.json` with `Config` and `Layers` (moby, image/spec); an OCI layout has `index.json`, whose
manifests name blobs by digest (opencontainers/image-spec, image-layout.md, manifest.md). A configuration's `history` has one entry a step,
those without a layer marked `empty_layer`.
"""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Callable, Iterable
from typing import IO, Any

LOOK = 4
"""Files of a tar whose names tell whether it is an image."""

FILES = 10_000
LARGEST = 1 << 20
"""Bytes of a JSON file that is read; layers are larger, or are not JSON."""

_HINT = re.compile(r"(?:\./)?(?:blobs/|manifest\.json$|index\.json$|oci-layout$|repositories$|[0-9a-f]{64}[./])")
_STEP = re.compile(r"(?:#\(nop\)\s+|^\s*)([A-Z]{3,12})\b")


def names(headers: Callable[[], Iterable[tuple[tarfile.TarInfo, IO[bytes] | None]]]) -> dict[str, str]:
    """What the layers and the configuration of an image are called, by their names in the tar; empty if it is no image."""
    documents: dict[str, Any] = {}
    hints = 0
    try:
        for number, (header, opened) in enumerate(headers()):
            hints += _HINT.match(header.name) is not None
            if (number + 1 == LOOK and not hints) or number >= FILES:
                break
            if header.size <= LARGEST and opened is not None and hints:
                data = opened.read(LARGEST)
                if data.lstrip()[:1] in (b"{", b"["):
                    documents[header.name.removeprefix("./")] = _parsed(data)
    except (OSError, ValueError, tarfile.TarError):
        return {}  # the opener comes to the same place, and says so
    return _named(documents) if hints else {}


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _named(documents: dict[str, Any]) -> dict[str, str]:
    images = [
        (_text(image.get("Config")), [_text(layer) for layer in _list(image.get("Layers"))])
        for image in _list(documents.get("manifest.json"))
        if isinstance(image, dict)
    ] or list(_of_index(documents, documents.get("index.json"), 0))
    result: dict[str, str] = {}
    for number, (config, layers) in enumerate(images):
        before = f"image {number + 1}, " if len(images) > 1 else ""
        result.setdefault(config, before + "config")
        steps = _steps(documents.get(config))
        for at, layer in enumerate(layers):
            step = f" ({steps[at]} …)" if at < len(steps) and steps[at] else ""
            result.setdefault(layer, f"{before}layer {at + 1}{step}")
    result.pop("", None)
    return result


def _of_index(documents: dict[str, Any], index: Any, depth: int) -> Iterable[tuple[str, list[str]]]:
    """Configuration and layers of the images that an OCI index lists, indexes in it included."""
    if not isinstance(index, dict) or depth > 3:
        return
    for entry in _list(index.get("manifests"))[:100]:
        manifest = documents.get(_blob(entry))
        if not isinstance(manifest, dict):
            continue
        if "layers" in manifest:
            yield _blob(manifest.get("config")), [_blob(layer) for layer in _list(manifest["layers"])]
        else:
            yield from _of_index(documents, manifest, depth + 1)


def _blob(descriptor: Any) -> str:
    digest = _text(descriptor.get("digest")) if isinstance(descriptor, dict) else ""
    return "blobs/" + digest.replace(":", "/") if digest else ""


def _steps(config: Any) -> list[str]:
    """The instruction that made each layer, the word alone: what follows it may be a secret."""
    history = _list(config.get("history")) if isinstance(config, dict) else []
    steps = []
    for entry in history:
        if isinstance(entry, dict) and not entry.get("empty_layer"):
            made = _text(entry.get("created_by"))
            match = _STEP.search(made)
            steps.append(match[1] if match else "RUN" if made.startswith("/bin/sh") else "")
    return steps


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
