"""What tells one place from another in the formats that track results from run to run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from keyward.model.finding import Occurrence
from keyward.report.escape import path_bytes


def place_ids(occurrences: Iterable[Occurrence]) -> list[str]:
    """For each place 32 hexadecimal characters: from its fingerprint, its path and its rank among the places of this secret in this
    file. The line is left out, so that lines inserted above do not make a known result look new."""
    seen: dict[bytes, int] = {}
    ids = []
    for occurrence in occurrences:
        locator = occurrence.locator
        fields = [occurrence.fingerprint.encode("utf-8", "replace"), path_bytes(locator.path)]
        fields += [path_bytes(member) for member in locator.container]
        key = b"".join(b"%d:%s" % (len(field), field) for field in fields)
        rank = seen[key] = seen.get(key, -1) + 1
        ids.append(hashlib.blake2b(key + b"#%d" % rank, digest_size=16).hexdigest())
    return ids


def timestamp(seconds: float) -> str:
    """`2026-01-31T23:59:59`, UTC."""
    import time

    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(max(0.0, seconds)))
