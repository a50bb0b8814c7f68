"""The quick way to a command: plain, well-formed words are read here, from the same declarations that typer reads.

Typer imports pydantic to read the words of a command: a fifth of a second, several times what most commands take for themselves. Whatever is
not plain (help, joined short options, a value that looks like an option, mistakes) goes to typer, which explains itself better. A test holds
the two against each other, for every command. `keyward scan` has a way of its own, which does not even import typer.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import typer
from typer.models import ArgumentInfo, OptionInfo, ParameterInfo

FLAG, TEXT, NUMBER = "flag", "text", "number"

_TYPES: dict[Any, tuple[str, bool]] = {
    bool: (FLAG, False),
    str: (TEXT, False),
    str | None: (TEXT, False),
    int: (NUMBER, False),
    int | None: (NUMBER, False),
    list[str]: (TEXT, True),
    list[str] | None: (TEXT, True),
    list[int] | None: (NUMBER, True),
}
_FOR_PEOPLE = {"default", "param_decls", "help", "metavar", "hidden", "show_default", "rich_help_panel"}
"""What a declaration may say without changing how words are read."""


class _Declared(NamedTuple):
    """One parameter of a command. `kind`: of its value, or of each where it is `repeated`. `options`: its names, none for an argument."""

    name: str
    kind: str
    repeated: bool
    options: tuple[str, ...]
    required: bool


def command_of(module: Any, words: Sequence[str]) -> tuple[Callable[..., Any], Sequence[str]] | None:
    """The function of the command that the words begin with, and the words behind it; None if they name none, or one with a hook of its group's."""
    if not hasattr(module, "app"):
        return getattr(module, words[0].replace("-", "_")), words[1:]
    return _of_group(module.app, words[1:])


def _of_group(group: typer.Typer, words: Sequence[str]) -> tuple[Callable[..., Any], Sequence[str]] | None:
    if group.registered_callback is not None or not words:
        return None
    for inner in group.registered_groups:
        if inner.name == words[0] and inner.typer_instance is not None:
            return _of_group(inner.typer_instance, words[1:])
    for each in group.registered_commands:
        if each.callback is not None and (each.name or each.callback.__name__.replace("_", "-")) == words[0]:
            return each.callback, words[1:]
    return None


def parse(command: Callable[..., Any], words: Sequence[str]) -> dict[str, Any] | None:
    """The arguments for a command's function, or None for what is better left to typer."""
    declared = list(_declared(command))
    if None in declared:
        return None
    options = {option: each for each in declared if each is not None for option in each.options}
    rest, plain = iter(words), []
    parsed: dict[str, Any] = {}
    for word in rest:
        name, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        option = options.get(name)
        if not word.startswith("-") or word == "-":
            plain.append(word)
            continue
        if option is None or (option.kind == FLAG and equals):
            return None
        if option.kind != FLAG and not equals:
            value = next(rest, "")
        if not _take(parsed, option, value):
            return None
    arguments = [each for each in declared if each is not None and not each.options]
    whole = _place(parsed, arguments, plain) and all(each.name in parsed for each in options.values() if each.required)
    return parsed if whole else None


def _take(parsed: dict[str, Any], declared: _Declared, value: str) -> bool:
    """Whether this is plainly a value of the parameter; if so, notes it."""
    read: Any = True
    if declared.kind != FLAG:
        if not value or (value.startswith("-") and value != "-"):
            return False
        if declared.kind == NUMBER and not (value.isascii() and value.isdigit()):
            return False
        read = int(value) if declared.kind == NUMBER else value
    if declared.repeated:
        parsed.setdefault(declared.name, []).append(read)
    else:
        parsed[declared.name] = read
    return True


def _place(parsed: dict[str, Any], arguments: Sequence[_Declared], plain: Sequence[str]) -> bool:
    """Gives the words that are no options to the arguments, in order. False where there are too many, too few, or an odd one."""
    left = list(plain)
    for each in arguments:
        taken = left if each.repeated else left[:1]
        left = left[len(taken) :]
        if (each.required and not taken) or not all(_take(parsed, each, word) for word in taken):
            return False
    return not left


def _declared(command: Callable[..., Any]) -> Iterator[_Declared | None]:
    """The parameters of a command; None for one that only typer understands."""
    for parameter in inspect.signature(command, eval_str=True).parameters.values():
        info, *others = getattr(parameter.annotation, "__metadata__", (None, None))
        of_value = _TYPES.get(getattr(parameter.annotation, "__origin__", None))
        if others or of_value is None or not isinstance(info, ParameterInfo) or not _is_plain(info):
            yield None
            continue
        options = tuple(each for each in (info.default, *(info.param_decls or ())) if isinstance(each, str))
        if isinstance(info, OptionInfo) != bool(options) or any("/" in each for each in options):
            yield None
            continue
        yield _Declared(parameter.name, *of_value, options, parameter.default is inspect.Parameter.empty)


def _is_plain(info: ParameterInfo) -> bool:
    usual = OptionInfo() if isinstance(info, OptionInfo) else ArgumentInfo()
    said = {name for name, value in vars(info).items() if value != getattr(usual, name)} - _FOR_PEOPLE
    return not said or (said == {"min"} and info.min == 0)  # digits alone are never less
