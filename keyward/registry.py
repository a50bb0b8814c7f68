"""Finds the packs, loads them one by one, and joins detectors and rotators by the kinds that they name.

Built-in packs are the modules of `keyward.detectors` and `keyward.rotators`, found by listing those folders; a module whose
name begins with `_` is a sibling, not a pack. Third-party packs come by entry points (group `keyward.detectors`) and are
loaded only when the operator's own configuration names them.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from keyward.errors import KeywardError, PackError

if TYPE_CHECKING:
    from keyward.model.kind import CredentialKind, Kind
    from keyward.model.rule import Rule
    from keyward.plugin.rotator import Rotator
    from keyward.plugin.verifier import Verifier

BUILT_IN, THIRD_PARTY, USER = "built-in", "third-party", "user"


class Pack(NamedTuple):
    """A loaded detector pack. `page`: its docstring."""

    name: str
    origin: str
    kinds: tuple[CredentialKind, ...]
    rules: tuple[Rule, ...]
    page: str


class Unavailable(NamedTuple):
    """A pack that could not be loaded, and why. It stays in the list."""

    name: str
    origin: str
    reason: str


@cache
def pack_files(package: str = "keyward.detectors") -> tuple[tuple[str, str], ...]:
    """(pack name, file path) of every built-in pack, sorted by name; no pack is imported."""
    found: dict[str, str] = {}
    for folder in importlib.import_module(package).__path__:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(".py") and not entry.name.startswith("_"):
                    found.setdefault(entry.name[:-3], entry.path)
    return tuple(sorted(found.items()))


class Registry:
    """The packs of this process. `plugins`: names of third-party packs that the operator's configuration names.
    `user_rules`: rules from TOML files, already checked. `disabled`: rule ids or pack names that are left out."""

    def __init__(
        self,
        *,
        plugins: Sequence[str] = (),
        user_rules: Sequence[Rule] = (),
        user_kinds: Sequence[CredentialKind] = (),
        disabled: Iterable[str] = (),
    ) -> None:
        self._plugins = tuple(plugins)
        self._user_rules = tuple(user_rules)
        self._user_kinds = tuple(user_kinds)
        self._disabled = frozenset(disabled)
        self._loaded: dict[str, Pack | Unavailable] = {}
        self._kinds: dict[Kind, CredentialKind] = {}
        self._verifiers: dict[Kind, Verifier] = {}
        self._rotators: dict[Kind, Rotator] = {}
        self._asked_for_rotators: set[str] = set()
        self.unavailable_rotators: list[Unavailable] = []

    @property
    def plugins(self) -> tuple[str, ...]:
        """The third-party packs that were named."""
        return self._plugins

    @property
    def key(self) -> tuple[Any, ...]:
        """What the compiled rules depend on besides the built-in packs' files."""
        rules = [(r.id, r.pattern, r.anchor, r.ignore_case, r.window, r.score) for r in self._user_rules]
        return (self._plugins, tuple(rules), tuple(sorted(self._disabled)))

    @property
    def disabled(self) -> frozenset[str]:
        """The rules and packs that are left out."""
        return self._disabled

    @property
    def user_rules(self) -> tuple[Rule, ...]:
        """Those from TOML files."""
        return self._user_rules

    def names(self) -> list[str]:
        """Every pack: built-in by name, third-party as `plugin:NAME`, the user's own rules as `user`."""
        names = [name for name, _ in pack_files()] + [f"plugin:{name}" for name in self._plugins]
        return names + (["user"] if self._user_rules else [])

    def pack(self, name: str) -> Pack | Unavailable:
        """Loads one pack. A pack that fails to load is answered as Unavailable with its reason."""
        if name not in self._loaded:
            loaded = self._load(name)
            self._loaded[name] = loaded
            if isinstance(loaded, Pack):
                for kind in loaded.kinds:
                    self._kinds.setdefault(kind.name, kind)
        return self._loaded[name]

    def rule(self, pack: str, rule_id: str) -> Rule:
        """One rule of one pack. Raises PackError if it is not there."""
        loaded = self.pack(pack)
        if isinstance(loaded, Pack):
            for rule in loaded.rules:
                if rule.id == rule_id:
                    return rule
        reason = loaded.reason if isinstance(loaded, Unavailable) else f"no rule {rule_id}"
        raise PackError(f"detector pack {pack}: {reason}")

    def rules(self, names: Sequence[str] | None = None) -> Iterator[tuple[str, Rule]]:
        """(pack name, rule) for every rule of every pack that loads, or of the named ones; imports them."""
        for name in self.names() if names is None else names:
            loaded = self.pack(name)
            if isinstance(loaded, Pack) and name not in self._disabled:
                yield from ((name, rule) for rule in loaded.rules if rule.id not in self._disabled)

    def packs(self) -> list[Pack | Unavailable]:
        return [self.pack(name) for name in self.names()]

    def verifier(self, kind: Kind) -> Verifier | None:
        """How a kind is asked about; None where its detector cannot, or did not load."""
        if kind not in self._verifiers:
            for name in _likely_first(kind, self.names()):
                self._note_verifier(name)
                if kind in self._verifiers:
                    break
        return self._verifiers.get(kind)

    def _note_verifier(self, name: str) -> None:
        from keyward.plugin.verifier import Verifier

        module = self._module(name)
        for verified in getattr(module, "VERIFIES", ()):
            self._verifiers.setdefault(verified, Verifier(tuple(getattr(module, "HOSTS", ())), module.verify))

    def declared(self, kind: Kind) -> CredentialKind | None:
        """The declaration of a kind, None for one that nobody declared. Imports no more packs than it needs."""
        for name in _likely_first(kind, self.names()):
            self.pack(name)
            if kind in self._kinds:
                return self._kinds[kind]
        return None

    def known(self, kind: Kind) -> CredentialKind:
        """The declaration of a kind, from whichever pack has it; a bare one for a kind nobody declared. Imports no more packs than it needs."""
        return self.declared(kind) or self.kind(kind)

    def rotators(self) -> dict[Kind, Rotator]:
        """Every rotator by the kinds that it names; imports the packs. One that does not load is in `unavailable_rotators`."""
        for name, load in self._rotator_packs().items():
            self._note_rotators(name, load)
        return self._rotators

    def rotator(self, kind: Kind) -> Rotator | None:
        """The rotator of a kind; None for one that nobody rotates. Imports no more packs than it needs: all of them for None."""
        if kind not in self._rotators:
            packs = self._rotator_packs()
            for name in _likely_first(kind, packs):
                self._note_rotators(name, packs[name])
                if kind in self._rotators:
                    break
        return self._rotators.get(kind)

    def _note_rotators(self, name: str, load: Callable[[], Any]) -> None:
        from keyward.plugin.rotator import Rotator

        if name in self._asked_for_rotators:
            return
        try:
            found = tuple(load().ROTATORS)
            if not all(isinstance(each, Rotator) for each in found):
                raise PackError("ROTATORS holds something that is not a Rotator")
        except Exception as error:  # a pack is somebody's code: whatever it raises becomes a reason
            reason = str(error) if isinstance(error, KeywardError) else f"{type(error).__name__}: {error}"
            self.unavailable_rotators.append(Unavailable(name, BUILT_IN, reason))
            found = ()
        for rotator in found:
            for kind in rotator.kinds:
                self._rotators.setdefault(kind, rotator)
        self._asked_for_rotators.add(name)  # after that: another thread may ask meanwhile

    def _rotator_packs(self) -> dict[str, Callable[[], Any]]:
        packs: dict[str, Callable[[], Any]] = {
            name: partial(importlib.import_module, f"keyward.rotators.{name}") for name, _ in pack_files("keyward.rotators")
        }
        points = _points("keyward.rotators") if self._plugins else ()
        return packs | {f"plugin:{point.name}": point.load for point in points if point.name in self._plugins}

    def _module(self, name: str) -> Any:
        """The module of a pack that loads, else None."""
        if name == "user" or isinstance(self.pack(name), Unavailable):
            return None
        return _entry_point(name[7:]) if name.startswith("plugin:") else importlib.import_module(f"keyward.detectors.{name}")

    def kind(self, name: Kind) -> CredentialKind:
        """The declaration of a kind, from a pack that is already loaded; a bare one for a kind nobody declared."""
        if self._user_rules:
            self.pack("user")
        from keyward.model.kind import CredentialKind

        return self._kinds.get(name) or CredentialKind(name, str(name))

    def _load(self, name: str) -> Pack | Unavailable:
        from keyward.model.kind import CredentialKind
        from keyward.model.rule import Rule

        if name == "user":
            declared = {kind.name: kind for kind in self._user_kinds}
            found = {
                rule.kind: declared.get(rule.kind) or CredentialKind(rule.kind, str(rule.kind)) for rule in self._user_rules
            }
            return Pack(name, USER, tuple(found.values()), self._user_rules, "Rules from the user's own TOML files.")
        origin = THIRD_PARTY if name.startswith("plugin:") else BUILT_IN
        try:
            module = _entry_point(name[7:]) if origin is THIRD_PARTY else importlib.import_module(f"keyward.detectors.{name}")
            kinds, rules = tuple(module.KINDS), tuple(module.RULES)
            if not all(isinstance(rule, Rule) for rule in rules):
                raise PackError("RULES holds something that is not a Rule")
        except Exception as error:  # a pack is somebody's code: whatever it raises becomes a reason
            text = str(error) if isinstance(error, KeywardError) else f"{type(error).__name__}: {error}"
            return Unavailable(name, origin, text)
        return Pack(name, origin, kinds, rules, (module.__doc__ or "").strip())


def _likely_first(kind: Kind, packs: Iterable[str]) -> list[str]:
    """All packs, the one that is named like the kind's provider first: most often the others need not be imported."""
    likely = str(kind).partition("/")[0].replace("-", "_")
    return sorted(packs, key=lambda name: name != likely)


def plugin_files(names: Sequence[str]) -> list[str]:
    """The files of third-party packs, as far as they are found, without importing them."""
    from importlib.metadata import entry_points
    from importlib.util import find_spec

    found = []
    for point in entry_points(group="keyward.detectors"):
        if point.name in names:
            try:
                spec = find_spec(point.module)
            except (ImportError, ValueError):
                spec = None
            if spec is not None and spec.origin and os.path.isfile(spec.origin):
                found.append(spec.origin)
    return sorted(found)


def _points(group: str) -> list[Any]:
    from importlib.metadata import entry_points

    return list(entry_points(group=group))


def _entry_point(name: str) -> Any:
    for point in _points("keyward.detectors"):
        if point.name == name:
            return point.load()
    raise PackError(f"no installed package offers a detector pack named {name!r}")
