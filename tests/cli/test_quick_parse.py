"""The quick way to `keyward scan` and typer's are the same way."""

from __future__ import annotations

import inspect

import pytest
import typer

from keyward.cli import scan, scan_run


def declared() -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(scan.scan, eval_str=True).parameters)


def test_every_option_is_known_to_both_by_the_same_names_and_defaults() -> None:
    quick: dict[str, set[str]] = {}
    for table in (scan_run.FLAGS, scan_run.VALUES, scan_run.LISTS, scan_run.NUMBERS):
        for option, name in table.items():
            quick.setdefault(name, set()).add(option)
    slow = {}
    for name, parameter in declared().items():
        info = parameter.annotation.__metadata__[0]
        if not isinstance(info, typer.models.ArgumentInfo):
            slow[name] = {info.default, *info.param_decls} - {..., None}
    assert quick == slow
    defaults = {name: parameter.default for name, parameter in declared().items()}
    assert {n: p.default for n, p in inspect.signature(scan_run.run).parameters.items()} == defaults


def test_the_tables_say_what_kind_of_value_each_option_has() -> None:
    for name, parameter in declared().items():
        kind = str(parameter.annotation.__origin__)
        in_table = [t for t in ("FLAGS", "VALUES", "LISTS", "NUMBERS") if name in getattr(scan_run, t).values()]
        expected = "FLAGS" if "bool" in kind else "NUMBERS" if "int" in kind else "LISTS" if "list" in kind else "VALUES"
        assert in_table == ([] if name == "paths" else [expected])


@pytest.mark.parametrize(
    ("words", "parsed"),
    [
        ([], {"paths": []}),
        (["a", "-", "b"], {"paths": ["a", "-", "b"]}),
        (["--staged"], {"paths": [], "staged": True}),
        (["-f", "json", "--exclude", "a", "--exclude=b"], {"paths": [], "format": "json", "exclude": ["a", "b"]}),
        (["-j", "3", "--output=x=y"], {"paths": [], "jobs": 3, "output": "x=y"}),
    ],
)
def test_plain_options_are_read(words: list[str], parsed: dict[str, object]) -> None:
    assert scan_run.parse(words) == parsed


@pytest.mark.parametrize(
    "words", [["--help"], ["-h"], ["--nonsense"], ["--format"], ["-j", "x"], ["-j", "-1"], ["--format", "--staged"], ["-fjson"], ["--"], ["--staged=1"]]
)
def test_anything_else_is_left_to_typer(words: list[str]) -> None:
    assert scan_run.parse(words) is None
