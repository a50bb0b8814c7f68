"""What a fixed text looks like in an encoding: the characters that are the same whatever stands before and after it."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator

FEWEST = 4
"""Characters of base64 that are worth looking for: one place in 16 million of random base64 has a given four."""

SELECTIVE = 5
"""Characters from which on an image is not also a piece of a word (`N5cl` stands in every symbol of C++ in the namespace `clang`)."""

ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def base64_images(mark: bytes) -> Iterator[tuple[int, bytes]]:
    """The images of a mark, for each place in a group of three bytes where it may begin, in both alphabets; each with the number of its characters behind the last
    border of a group of four."""
    for before in range(3):
        end = before + len(mark)
        encoded = base64.b64encode(b"\0" * before + mark + b"\0\0")
        first, last = (8 * before + 5) // 6, 8 * end // 6
        images = [encoded[first:last]]
        known = 8 * end - 6 * last  # bits of the character behind
        if len(images[0]) < FEWEST:
            continue
        if len(images[0]) < SELECTIVE and known:
            bits = ALPHABET.index(encoded[last])
            images = (
                [images[0] + ALPHABET[bits + rest : bits + rest + 1] for rest in range(1 << (6 - known))]
                if known == 4
                else images
            )
        for image in images:
            phase = (first + len(image)) % 4
            yield phase, image
            if b"+" in image or b"/" in image:
                yield phase, image.translate(TO_URL_SAFE)


TO_URL_SAFE = bytes.maketrans(b"+/", b"-_")
TO_STANDARD = bytes.maketrans(b"-_", b"+/")


def by_phase(marks: Iterable[bytes]) -> tuple[tuple[bytes, ...], ...]:
    """The images of all marks, by how many characters (0 to 3) stand behind the last border at their end."""
    phases: tuple[set[bytes], ...] = (set(), set(), set(), set())
    for mark in marks:
        for phase, image in base64_images(mark):
            phases[phase].add(image)
    return tuple(tuple(sorted(images)) for images in phases)


def wide(mark: bytes) -> bytes:
    """The mark in UTF-16 (little endian), as PowerShell's encoded commands hold it; the last NUL left out."""
    return mark.decode("latin-1").encode("utf-16-le")[:-1]


def prefix_tree(texts: Iterable[bytes]) -> bytes:
    """An expression that matches each of the texts, which `re` goes through without trying one after the other."""
    tree: dict[int, object] = {}
    for text in texts:
        node = tree
        for byte in text:
            node = node.setdefault(byte, {})  # type: ignore[assignment]  # a dictionary of dictionaries, down to the end
        node[-1] = True
    return _expression(tree)


def _expression(node: dict[int, object]) -> bytes:
    if -1 in node or not node:  # a text that begins like a longer one stands for it
        return b""
    branches = [b"\\x%02x" % byte + _expression(following) for byte, following in sorted(node.items())]  # type: ignore[arg-type]
    return branches[0] if len(branches) == 1 else b"(?:" + b"|".join(branches) + b")"
