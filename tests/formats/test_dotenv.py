"""`.env` files: one value changes, every other byte stays, and every reader of the dialect reads the new value."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from pathlib import Path

import dotenv
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keyward.formats.dotenv import Dotenv
from keyward.formats.dotenv_readers import DIALECTS, READERS
from keyward.formats.place import FormatError

QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

SAFE = st.text("abcXYZ019_./:@%+,=-", min_size=1, max_size=20)
VALUES = st.text(st.sampled_from("abcZ09_-./:@%+=,;!?*&()[]{}<>|~^#$'\"`\\ \n\tüß€"), min_size=1, max_size=16)
LINES = st.sampled_from(
    [
        "# a comment with 'one quote",
        "",
        "   ",
        "OTHER=plain",
        "export THIRD='single # not a comment'",
        'FOURTH="double \\" quote"  # comment',
        "FIFTH = spaced   # comment",
        "SIXTH=",
        'PEM="-----BEGIN\nabc\n-----END"',
        "not an assignment",
        "SEVENTH=a#b",
    ]
)
KEPT = ("OTHER", "THIRD", "FOURTH", "FIFTH", "SIXTH", "PEM", "SEVENTH")


def quoted(value: str, style: str) -> str:
    return {"bare": value, "single": f"'{value}'", "double": f'"{value}"', "backtick": f"`{value}`"}[style]


@QUICK
@given(
    st.lists(LINES, max_size=6),
    st.lists(LINES, max_size=6),
    SAFE,
    VALUES,
    st.sampled_from(["bare", "single", "double", "backtick"]),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["", "export ", "  "]),
    st.sampled_from(["", "  # note"]),
    st.sampled_from(list(DIALECTS)),
)
def test_only_the_value_changes(
    before: list[str],
    after: list[str],
    old: str,
    new: str,
    style: str,
    eol: str,
    bom: bool,
    last_line_open: bool,
    prefix: str,
    comment: str,
    dialect: str,
) -> None:
    head = ("\ufeff" if bom else "") + "".join(line + "\n" for line in before) + prefix + "KEY="
    tail = comment + "".join("\n" + line for line in after) + ("" if last_line_open else "\n")
    head, tail = (text.replace("\n", eol).encode() for text in (head, tail))
    data = head + quoted(old, style).encode() + tail
    format = Dotenv(dialect)
    there = format.readings(data, ("KEY",))
    if old.encode() not in there:
        return  # not how this dialect writes it
    others = {key: format.readings(data, (key,)) for key in KEPT}
    try:
        changed = format.replace(data, ("KEY",), new.encode(), old.encode())
    except FormatError as error:
        assert new not in str(error) or len(new) < 3
        return
    assert new.encode() in format.readings(changed, ("KEY",))
    assert changed.startswith(head)
    assert changed.endswith(tail)
    assert {key: format.readings(changed, (key,)) for key in KEPT} == others


@QUICK
@given(SAFE, SAFE, st.sampled_from(["bare", "single", "double"]))
def test_a_harmless_value_is_written_in_every_dialect_in_the_old_quotes(old: str, new: str, style: str) -> None:
    data = f"KEY={quoted(old, style)}\n".encode()
    assert Dotenv().replace(data, ("KEY",), new.encode()) == f"KEY={quoted(new, style)}\n".encode()


def by_shell(data: bytes, folder: Path) -> bytes | None:
    """What bash has in KEY after `source`; None if it complains, or does something else as well."""
    file = folder / "shell.env"
    file.write_bytes(data)
    script = f'set -aeu; . "{file}"; printf %s "$KEY"'
    run = subprocess.run(["bash", "-c", script], capture_output=True, env={"PATH": os.environ["PATH"]}, check=False)
    return run.stdout if run.returncode == 0 and not run.stderr else None


def by_python(data: bytes, folder: Path) -> bytes | None:
    value = dotenv.dotenv_values(stream=io.StringIO(data.decode().replace("\r\n", "\n"))).get("KEY")
    return None if value is None else value.encode()


def by_node(data: bytes, folder: Path) -> bytes | None:
    """Node's own reader, which is close to npm `dotenv`."""
    script = "process.stdout.write(require('util').parseEnv(require('fs').readFileSync(0,'utf8')).KEY ?? '')"
    return subprocess.run(["node", "-e", script], input=data, capture_output=True, check=True).stdout


HARD = [
    "plain",
    "two words",
    "hash#inside",
    "hash #behind",
    "#first",
    "dollar$HOME",
    "dollar-last$",
    "per%cent",
    "back\\slash",
    "it's",
    'say "no"',
    "a`b",
    " lead and trail ",
    "line\nline\n",
    "semi;colon&pipe|<>()",
    "~tilde",
    "ünïcode€",
    "*?[glob]",
    "equals==",
    "brace{a,b}",
    "!bang",
]


@pytest.mark.parametrize("new", HARD)
@pytest.mark.parametrize("raw", ["old", "'old'", '"old"'])
def test_bash_and_python_read_back_what_was_written(new: str, raw: str, tmp_path: Path) -> None:
    data = f"OTHER=1\nKEY={raw}\nLAST=2\n".encode()
    written = 0
    for dialect, reader in (("any", by_shell), ("any", by_python), ("shell", by_shell), ("python", by_python)):
        try:
            changed = Dotenv(dialect).replace(data, ("KEY",), new.encode())
        except FormatError:
            assert dialect == "any", f"{dialect} has a way to write {new!r}"
            continue
        assert reader(changed, tmp_path) == new.encode(), changed
        written += 1
    assert written >= 2


@pytest.mark.skipif(not shutil.which("node") and not os.environ.get("CI"), reason="node is not installed")
@pytest.mark.parametrize("new", HARD)
def test_node_reads_back_what_was_written(new: str, tmp_path: Path) -> None:
    for dialect in ("any", "node"):
        try:
            changed = Dotenv(dialect).replace(b"KEY=old\nLAST=2\n", ("KEY",), new.encode())
        except FormatError:
            assert dialect == "any"
            continue
        assert by_node(changed, tmp_path) == new.encode(), changed


@QUICK
@given(st.text(st.sampled_from("ab'\"`\\ #$\n\t~;="), max_size=8))
def test_the_model_of_python_dotenv_is_right(rest: str) -> None:
    model = READERS["python-dotenv"](rest.encode())
    if model is not None:
        assert by_python(f"KEY={rest}\n".encode(), Path()) == model


@settings(max_examples=120, deadline=None)
@given(st.text(st.sampled_from("ab'\"`\\ #$\n\t~;=n"), max_size=8))
def test_the_model_of_bash_is_right(rest: str) -> None:
    import tempfile

    model = READERS["shell"](rest.encode())
    if model is not None:
        with tempfile.TemporaryDirectory() as folder:
            assert by_shell(f"KEY={rest}\n".encode(), Path(folder)) == model


def test_every_assignment_that_holds_the_old_value_is_changed_and_no_other() -> None:
    data = b"KEY=old\n# KEY=old\nKEY='else'\nexport KEY=\"old\" # note\n"
    assert Dotenv().replace(data, ("KEY",), b"new") == b"KEY=new\n# KEY=old\nKEY='else'\nexport KEY=\"new\" # note\n"


def test_the_last_assignment_is_the_one_in_force() -> None:
    assert Dotenv().read(b"KEY=one\nKEY=two\n", ("KEY",)) == b"two"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", b"KEY=v\n"),
        (b"A=1", b"A=1\nKEY=v"),
        (b"A=1\r\n", b"A=1\r\nKEY=v\r\n"),
        (b"export A=1\nexport B=2\n", b"export A=1\nexport B=2\nexport KEY=v\n"),
    ],
)
def test_a_missing_key_is_added_at_the_end(data: bytes, expected: bytes) -> None:
    assert Dotenv().insert(data, ("KEY",), b"v") == expected


def test_a_key_of_several_lines_stays_of_several_lines() -> None:
    old, new = (f"-----BEGIN X-----\n{word}\n-----END X-----\n" for word in ("aaaa", "bb+/bb=="))
    data = f'A=1\nKEY="{old}"\nB=2\n'.encode()
    assert Dotenv().replace(data, ("KEY",), new.encode()) == f'A=1\nKEY="{new}"\nB=2\n'.encode()
    escaped = 'KEY="' + old.replace("\n", "\\n") + '"\n'
    assert Dotenv().readings(escaped.encode(), ("KEY",)) >= {old.encode()}
    assert (
        Dotenv().replace(escaped.encode(), ("KEY",), new.encode(), old.encode())
        == ('KEY="' + new.replace("\n", "\\n") + '"\n').encode()
    )


def test_a_value_that_no_common_form_can_hold_is_refused_by_name_of_the_key() -> None:
    with pytest.raises(FormatError, match=r"KEY.*dialect"):
        Dotenv().replace(b"KEY=old\n", ("KEY",), b'it\'s $both and "more"')


def test_docker_takes_everything_literally() -> None:
    docker = Dotenv("docker")
    assert docker.read(b"KEY='old' # x\n", ("KEY",)) == b"'old' # x"
    assert docker.replace(b"KEY=old\n", ("KEY",), b"a 'b' #c $d") == b"KEY=a 'b' #c $d\n"
    with pytest.raises(FormatError):
        docker.replace(b"KEY=old\n", ("KEY",), b"two\nlines")


def test_systemd_has_no_inline_comments_and_joins_lines() -> None:
    systemd = Dotenv("systemd")
    assert systemd.read(b"KEY=a b # c\n", ("KEY",)) == b"a b # c"
    assert systemd.read(b"KEY=one\\\ntwo\nB=1\n", ("KEY",)) == b"onetwo"
    assert systemd.read(b"KEY='a'\"b\\$\"\n", ("KEY",)) == b"ab$"
    assert systemd.replace(b"KEY='old'\nB=1\n", ("KEY",), b"it's $x") == b'KEY="it\'s $x"\nB=1\n'


def test_crlf_is_kept() -> None:
    assert Dotenv().replace(b"A=1\r\nKEY=old # n\r\nB=2\r\n", ("KEY",), b"new") == b"A=1\r\nKEY=new # n\r\nB=2\r\n"


@pytest.mark.parametrize("data", [b"\xff\xfeK\0", b"KEY=a\0b\n"])
def test_what_is_no_text_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        Dotenv().read(data, ("KEY",))
