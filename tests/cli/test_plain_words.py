"""The quick way to a command and typer's are the same way: both give a command's function the same arguments, for every command."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import typer

from keyward.cli import drill
from keyward.cli.app import COMMANDS, _module
from keyward.cli.plain_words import command_of, parse

Command = Callable[..., Any]


def named(group: typer.Typer) -> Iterator[list[str]]:
    for command in group.registered_commands:
        assert command.callback is not None
        yield [command.name or command.callback.__name__.replace("_", "-")]
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        yield from ([str(inner.name), *names] for names in named(inner.typer_instance))


def commands() -> dict[str, Command]:
    found = {}
    for each in COMMANDS:
        module = _module(each)
        for names in named(module.app) if hasattr(module, "app") else [[]]:
            words = [each.name, *names]
            command = command_of(module, [*words, "further", "--words"])
            assert command is not None and command[1] == ["further", "--words"], words
            found[" ".join(words)] = command[0]
    return found


COMMANDS_BY_NAME = commands()


def typers(command: Command, words: list[str]) -> dict[str, Any]:
    """What typer gives a function that is declared like the command's."""
    given: list[dict[str, Any]] = []

    @functools.wraps(command)
    def function(**arguments: Any) -> None:
        given.append(arguments)

    app = typer.Typer()
    app.command()(function)
    app(args=words, standalone_mode=False)
    return given[0]


def quick(command: Command, words: list[str]) -> dict[str, Any]:
    """What a function gets that is called with what was parsed."""
    parsed = parse(command, words)
    assert parsed is not None, words
    bound = inspect.signature(command).bind(**parsed)
    bound.apply_defaults()
    return bound.arguments


def parameters(command: Command) -> Iterator[tuple[inspect.Parameter, list[str], str]]:
    """Each with the names that it has as an option (none: it is an argument), and the text of its type."""
    for parameter in inspect.signature(command, eval_str=True).parameters.values():
        info = parameter.annotation.__metadata__[0]
        options = [] if isinstance(info, typer.models.ArgumentInfo) else [info.default, *(info.param_decls or ())]
        yield parameter, [each for each in options if isinstance(each, str)], str(parameter.annotation.__origin__)


def samples(command: Command) -> Iterator[list[str]]:
    """Command lines: nothing, each option by itself in each of its forms, all of them at once, and as many arguments as there may be."""
    needed, further, everything = [], [], []
    for parameter, options, of_type in parameters(command):
        required = parameter.default is inspect.Parameter.empty
        if options:
            needed += [options[0], "some"] if required else []
            continue
        words = ["one", "-", "a=b"] if "list" in of_type else ["one"]
        (needed if required else further).extend(words)
    yield needed
    yield [*needed, *further]
    for _, options, of_type in parameters(command):
        for option in options:
            value = "7" if "int" in of_type else "some=thing"
            if "bool" in of_type:
                forms = [[option]]
            else:
                forms = [[option, value], *([[f"{option}={value}"]] if option.startswith("--") else [])]
                forms += [[option, "-"]] if "int" not in of_type else []
            yield from ([*needed, *form] for form in forms)
            everything += forms[0]
            yield [*forms[0], *needed, *forms[-1]]  # said twice, and before the arguments
    yield [*needed, *everything, *further]


@pytest.mark.parametrize("name", COMMANDS_BY_NAME)
def test_both_give_a_function_the_same_arguments(name: str) -> None:
    command = COMMANDS_BY_NAME[name]
    for words in samples(command):
        assert quick(command, words) == typers(command, words), words


def test_every_command_can_be_read_quickly() -> None:
    assert len(COMMANDS_BY_NAME) > 50 and {"rotate", "incident recover", "hook git install"} < set(COMMANDS_BY_NAME)


@pytest.mark.parametrize(
    "words",
    [["--help"], ["-h"], ["a/b", "--help"], ["--nonsense"], ["--lane"], ["--lane", "--yes"], ["--lane="], ["--tier", "x"], ["--tier", "-1"],
     ["--tier="], ["-yn"], ["--yes=1"], ["--"], ["--", "a/b"], [""], ["a/b", "--lane", ""]],
)  # fmt: skip
def test_what_is_not_plain_is_left_to_typer(words: list[str]) -> None:
    assert parse(COMMANDS_BY_NAME["rotate"], words) is None


@pytest.mark.parametrize(
    ("name", "words"), [("provide", []), ("provide", ["a", "-", "b"]), ("status", ["a"]), ("verify", []), ("init", [])]
)
def test_too_few_or_too_many_words_are_left_to_typer(name: str, words: list[str]) -> None:
    assert parse(COMMANDS_BY_NAME[name], words) is None


def test_a_group_without_a_command_and_a_command_that_is_none_are_left_to_typer() -> None:
    incident = next(each for each in COMMANDS if each.name == "incident")
    assert command_of(_module(incident), ["incident"]) is None
    assert command_of(_module(incident), ["incident", "nonsense"]) is None
    assert command_of(_module(incident), ["incident", "--help"]) is None


def with_a_callback(name: str = typer.Argument("a"), loud: bool = False) -> None:
    """Declared in another way than ours are."""


def test_a_declaration_of_another_form_is_left_to_typer() -> None:
    assert parse(with_a_callback, []) is None and parse(drill.drill, []) == {}
