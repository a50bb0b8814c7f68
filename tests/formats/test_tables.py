"""Tables whose columns say what a cell is: found under the column's name, at its own bytes, in linear time."""

from __future__ import annotations

import time

import pytest

from keyward.formats.readings.tables import MOST_CELLS, is_table, table_view
from keyward.match import catalogue
from keyward.match.fingerprint import Fingerprinter
from keyward.match.matcher import Matcher
from keyward.match.personas import REGULAR
from keyward.plugin.shapes import chars
from keyward.registry import Registry
from keyward.scan.examine import Examiner, Place

_REGISTRY = Registry()
_MATCHER = Matcher(_REGISTRY, catalogue.load(_REGISTRY))
SECRET = (chars("bcdfghjkmnpqrtvwxz", 6).sample(4).text + b"#4Q" + chars("BCDFGHJKMNPQ", 3).sample(5).text).decode()
OTHER = chars("bcdfghjkmnpqrtvwxz23456789", 14).sample(6).text.decode()

TABLES = {
    "columns of an insert": ("a.sql", f"INSERT INTO users (id, name, password, mail) VALUES (1,'Bob, the (2nd)','{SECRET}','b@x.io');\n"),
    "several rows": ("a.sql", f"insert into `users` (`name`, `pwd`) values ('O''Neil', 'x'), ('b', '{SECRET}');\n"),
    "columns of the table": (
        "dump.sql",
        f"CREATE TABLE `users` (\n  `id` int NOT NULL,\n  `api_token` varchar(80),\n  PRIMARY KEY (`id`)\n);\nINSERT INTO `users` VALUES (NULL,'{SECRET}');\n",
    ),
    "a function among the values": ("a.sql", f"REPLACE INTO t (at, secret) VALUES (NOW(), N'{SECRET}');\n"),
    "a copy": ("pg.sql", f"COPY public.users (id, name, password) FROM stdin;\n1\tbob\t{SECRET}\n\\.\n"),
    "commas": ("users.csv", f'name,password\n"Bob ""B"", x",{SECRET}\n'),
    "semicolons": ("users.csv", f'id;"access key";mail\r\n7;"{SECRET}";x@y.io\r\n'),
    "tabs": ("keys.tsv", f"service\ttoken\nmail\t{SECRET}\n"),
    "a column in Markdown": ("notes.md", f"# Keys\n\n| system | password | since |\n|---|:---:|---|\n| db | `{SECRET}` | 2024 |\n\nmore\n"),
    "a row in Markdown": ("notes.md", f"key | value\n--- | ---\nhost | db3\n**API token** | {SECRET}\n"),
}  # fmt: skip


@pytest.mark.parametrize(("path", "text"), TABLES.values(), ids=TABLES)
def test_a_cell_is_found_under_its_column(path: str, text: str) -> None:
    data = text.encode()
    assert is_table(path.rpartition(".")[2], data)
    view = table_view(data)
    assert view is not None
    at = view.text.index(SECRET.encode())
    assert data[view.source_start(at) : view.source_end(at + len(SECRET))] == SECRET.encode()
    assert [j.context.value for j in _MATCHER.find(view.text, path) if j.confidence >= REGULAR] == [SECRET.encode()]


def test_a_table_of_too_many_cells_is_read_up_to_there_and_said_to_be_cut() -> None:
    data = b"user,password\n" + f"bob,{SECRET}\n".encode() + b"a,b-b-b-b\n" * MOST_CELLS
    examined = Examiner(_MATCHER, Fingerprinter(bytes(16))).examine_bytes(Place("tree", "users.csv"), data)
    assert [occurrence.line for occurrence in examined.occurrences] == [2]
    assert [problem.reason for problem in examined.problems if "cells" in problem.reason] == [
        "more than 400,000 cells in a table; the rest is looked at only as it stands"
    ]
    whole = Examiner(_MATCHER, Fingerprinter(bytes(16))).examine_bytes(Place("tree", "users.csv"), data[:1_000_000])
    assert not whole.problems


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.sql", f"INSERT INTO users (id, colour) VALUES (1,'{OTHER}');\n"),
        ("a.sql", "INSERT INTO users (id, password) VALUES (1, NULL);\n"),
        ("a.csv", f"name,colour\nbob,{OTHER}\n"),
        ("a.md", f"| name | colour |\n|---|---|\n| db | {OTHER} |\n"),
        ("a.md", f"the password is below\n\n{OTHER} | x\n"),
    ],
)
def test_other_columns_are_not_looked_at(path: str, text: str) -> None:
    view = table_view(text.encode())
    assert view is None or OTHER.encode() not in view.text


HOSTILE = {
    "statements without an end": b"INSERT INTO t (password) VALUES (",
    "tables without an end": b"CREATE TABLE t (\n password",
    "open quotes": b"INSERT INTO t (a, password) VALUES ('",
    "brackets": b"INSERT INTO t (a, password) VALUES ((((",
    "copies": b"COPY t (a, password) FROM stdin;\n",
    "rules": b"|password|x|\n|--|--|\n",
    "dashes": b"password|\n" + b"-" * 200,
    "quotes in lines": b'a,password\n"',
    "empty cells": b"," * 600 + b"\n",
    "rows of cells": b"(" + b"'abcdefgh'," * 500 + b"1),",
    "cells in Markdown": b"abcdefgh1|" * 9000 + b"\n",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_no_text_takes_long(piece: bytes) -> None:
    data = (piece * (1_000_000 // len(piece) + 1))[:1_000_000]
    names = b",".join([b"token"] * 500)
    heads = (
        b"",
        b"INSERT INTO t (a, b, password) VALUES ",
        b"INSERT INTO t (%b) VALUES " % names,
        b"a,b,password\n",
        names + b"\n",
        b"|".join([b"token"] * 60_000) + b"\n--|--\n",
    )
    for text in (head + data for head in heads):
        began = time.process_time()
        table_view(text)
        assert time.process_time() - began < 2
