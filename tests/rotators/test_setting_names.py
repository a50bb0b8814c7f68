"""The names of settings that rotators declare are those that they read, and a name that means nothing is refused."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from keyward.errors import Refused
from keyward.model.kind import Kind
from keyward.model.lane import Entry
from keyward.plugin.rotator import Rotator
from keyward.registry import Registry
from keyward.rotate.named import misnamed, refuse_misnamed

ROOT = Path(__file__).parents[2]
SIBLINGS = {"_aws_iam": "aws", "_aws_lane": "aws", "_ssh_keys": "ssh", "_tencent_cam": "tencent", "_vault_api": "vault"}
READERS = {"scope_text": 0, "text_list": 1, "texts": 1, "flag": 1, "_texts": 1, "_command": 1, "_option": 1}
"""Functions that read one setting, and where its name stands among their arguments."""


def _rotators() -> list[Rotator]:
    return list({id(each): each for each in Registry().rotators().values()}.values())


def _module(rotator: Rotator) -> str:
    return type(rotator).__module__.rpartition(".")[2]


def _read(path: Path) -> set[str]:
    """The settings that a module reads by a name that stands there."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        at = READERS.get(called)
        if called == "get" and ast.unparse(node.func).endswith("scope.get"):
            at = 0
        if at is not None and len(node.args) > at and isinstance(node.args[at], ast.Constant):
            found.add(str(node.args[at].value))
    return found


def test_every_rotator_says_which_settings_it_knows() -> None:
    missing = [type(each).__name__ for each in _rotators() if getattr(each, "scope_names", None) is None]
    assert not missing


def test_what_is_read_is_declared() -> None:
    declared: dict[str, set[str]] = {}
    for rotator in _rotators():
        declared.setdefault(_module(rotator), set()).update(rotator.scope_names)
    read = 0
    for path in (ROOT / "rotators").glob("*.py"):
        module = SIBLINGS.get(path.stem, path.stem)
        if module in declared:
            read += len(_read(path))
            assert _read(path) <= declared[module], path.name
    assert read > 30, "the readers are called something else now"


def test_what_is_declared_is_written_down_and_read() -> None:
    for rotator in _rotators():
        name = _module(rotator)
        page = (ROOT / "docs" / "providers" / f"{name}.md").read_text()
        source = "".join(
            path.read_text() for path in (ROOT / "rotators").glob("*.py") if SIBLINGS.get(path.stem, path.stem) == name
        )
        for setting in rotator.scope_names:
            assert re.search(rf"\b{setting}\b", page), f"docs/providers/{name}.md does not say what {setting} is"
            assert source.count(f'"{setting}"') > 1, f"{name} declares {setting} and does not read it"


def _entry(kind: str, **more: object) -> tuple[Entry, Rotator]:
    rotator = Registry().rotators()[Kind(kind)]
    return Entry("shop", "key", Kind(kind), "main", "lanes/shop/key")._replace(**more), rotator


@pytest.mark.parametrize(
    ("kind", "more", "said", "hint"),
    [
        ("openai/service-account-key", {"scope": {"project": "x", "scope": ["api.model.read"]}}, "scope.scope", "`scopes`"),
        ("openrouter/api-key", {"scope": {"limt": 5}}, "scope.limt", "`limit`"),
        ("aws/access-key", {"scope": {"polcy": {}}}, "scope.polcy", "`policy`"),
        ("aws/access-key", {"admin": {"id": "env:A", "sercet": "env:B"}}, "admin.sercet", "`secret`"),
        ("openclaw/hooks-token", {"scope": {"length": 9}}, "scope.length", "Take it out"),
    ],
)
def test_a_name_that_means_nothing_is_refused(kind: str, more: dict[str, object], said: str, hint: str) -> None:
    entry, rotator = _entry(kind, **more)
    with pytest.raises(Refused, match=re.escape(said)) as refused:
        refuse_misnamed(entry, rotator)
    assert hint in refused.value.hint


def test_optional_parts_of_an_admin_credential_are_known() -> None:
    for kind, part in (
        ("aws/access-key", "session_token"),
        ("private-key/pem", "passphrase"),
        ("github/pat-classic", "secret"),
    ):
        entry, rotator = _entry(kind, admin={part: "env:X"})
        assert not list(misnamed(entry, rotator))


def test_a_third_partys_rotator_that_says_nothing_is_not_held_to_anything() -> None:
    class Theirs(Rotator):
        kinds = (Kind("theirs/key"),)

    entry = Entry("shop", "key", Kind("theirs/key"), "main", "p", scope={"anything": 1})
    assert not list(misnamed(entry, Theirs()))
