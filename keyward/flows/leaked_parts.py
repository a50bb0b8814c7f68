"""The parts of a leaked credential, read again from the place where a scan found it."""

from __future__ import annotations

import io

from keyward.errors import Refused
from keyward.flows.project import open_project
from keyward.flows.scan import ScanOptions
from keyward.match.fingerprint import Fingerprinter
from keyward.model.credential import SecretParts
from keyward.model.kind import CredentialKind
from keyward.model.secret import Secret
from keyward.rotate import identity
from keyward.rotate.found import Found, Report
from keyward.scan.reader import CHUNK, chunks, chunks_of, source_length
from keyward.scan.reread import read_source, reread

MOST_BESIDE = 1 << 17
"""Bytes behind a value in which its other parts may stand; no rule looks further."""


def leaked_parts(report: Report, fingerprint: str, kind: CredentialKind, *, config: str | None = None) -> SecretParts:
    """The parts of a credential of a report, from its first place that still holds it. `config`: the operator's configuration.

    Raises Refused where no place does any more, or where one does and the other parts are not beside it.
    """
    places = report.places(fingerprint)
    gone: list[str] = []
    for found in places:
        value = reread(found.locator)
        if value is None or not _is_it(value, found, kind, report.salt):
            gone.append(f"{found.path}:{found.line}")
            continue
        part = next((name for name in (*kind.identity, *found.parts) if name in found.parts), "secret")
        if set(found.parts) <= {part}:
            return {part: value}
        parts = _beside(found, kind, value, config)
        if parts is not None:
            return parts
        gone.append(f"{found.path}:{found.line}")
    shown = ", ".join(gone[:3])
    raise Refused(f"what the report found is no longer there, or not in full: {shown}", hint="Scan again, and use that report.")


def _is_it(value: Secret, found: Found, kind: CredentialKind, salt: bytes) -> bool:
    return identity.fingerprint(kind, {"identity": value}, Fingerprinter(salt)) == found.fingerprint


def _beside(found: Found, kind: CredentialKind, value: Secret, config: str | None) -> SecretParts | None:
    """All parts, by matching the file (or what is packed in it) once more; None if the match at the place is not there any more."""
    locator = found.locator
    data = read_source(locator, locator.end + MOST_BESIDE)
    if data is None:
        return None
    project = open_project(
        ScanOptions(paths=(locator.path,), baseline="", operator_config=config), on_compile=lambda rules: None
    )
    matcher = project.recipe.matcher()
    for chunk in chunks_of(data) if len(data) < CHUNK else chunks(io.BytesIO(data).read):
        for judged in matcher.find(chunk.data, locator.path):
            start = chunk.source_offset + source_length(chunk.data[: judged.candidate.span[0]], chunk.encoding)
            if start == locator.start and judged.candidate.kind.name == kind.name and judged.context.value == value.reveal():
                parts = {name: Secret(bytes(part)) for name, part in judged.context.parts.items()}
                return parts if set(found.parts) <= set(parts) else None
    return None
