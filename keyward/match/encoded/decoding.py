"""From the name of an encoding, as a locator holds it, to the value that the bytes there stand for."""

from __future__ import annotations

from collections.abc import Callable

from keyward.match.encoded import packed, rewritten
from keyward.match.encoded.characters import decode_base64, decode_hex
from keyward.match.encoded.layer import Step, steps

WIDE = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")


def decoder(encoding: str) -> Callable[[bytes], bytes] | None:
    """What gives a value back from its bytes in the source; None for a name that is none of these."""
    found = steps(encoding)
    if not found or not all(_known(step) for step in found):
        return None

    def decoded(data: bytes) -> bytes:
        for step in found:
            data = decode_step(data, step)
        return data

    return decoded


def decode_step(data: bytes, step: Step) -> bytes:
    """One step: decoded, and cut at both ends."""
    text = _decoded(data, step.name)
    return text[step.first : len(text) - step.last]


def _known(step: Step) -> bool:
    return step.name in ("base64", "hex", *packed.NAMES, *rewritten.REWRITINGS) or step.name in WIDE


def _decoded(data: bytes, name: str) -> bytes:
    if name == "base64":
        return decode_base64(data)
    if name == "hex":
        return decode_hex(data)
    if name in packed.NAMES:
        return packed.unpack(data, name)
    if name in WIDE:
        return data.decode(name, "replace").encode("utf-8", "replace")
    return rewritten.decode(data, name)
