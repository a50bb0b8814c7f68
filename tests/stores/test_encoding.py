"""Parts and fields, for whatever a store may be given."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as some

from keyward.model.secret import Secret
from keyward.stores.encoding import MARKER, from_fields, next_version, to_fields

names = some.text(min_size=1, max_size=20).filter(lambda name: name != MARKER and name.isprintable())


@given(some.dictionaries(names, some.binary(max_size=200)), some.dictionaries(names, some.text(max_size=20)))
def test_any_parts_come_back(parts: dict[str, bytes], labels: dict[str, str]) -> None:
    given_parts = {name: Secret(each) for name, each in parts.items()}
    fields = json.loads(json.dumps(to_fields(given_parts, labels, 7)))
    record = from_fields(fields)
    assert (record.parts, record.labels, record.version) == (given_parts, labels, 7)
    for name, each in parts.items():
        try:
            assert fields[name] == each.decode()
        except UnicodeDecodeError:
            assert name in json.loads(fields[MARKER])["base64"]


def test_versions_are_never_zero_and_go_up() -> None:
    assert next_version(0, 0.0) == 1
    assert next_version(5, 1e9) == 6
    assert next_version(0, 1e9) < next_version(0, 1e9 + 1)
