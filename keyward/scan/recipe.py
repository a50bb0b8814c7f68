"""What a process needs to scan: small enough to be handed to a worker, complete enough to build the matcher there."""

from __future__ import annotations

from typing import NamedTuple

from keyward.match.catalogue import Catalogue
from keyward.match.fingerprint import FingerprintCache, Fingerprinter
from keyward.match.matcher import Matcher
from keyward.model.rule import Rule
from keyward.registry import Registry
from keyward.scan.examine import Examiner


class Recipe(NamedTuple):
    """Holds no secret but the salt, which every report carries anyway. `rule_files`: TOML files of user rules."""

    catalogue: Catalogue
    salt: bytes
    plugins: tuple[str, ...] = ()
    rule_files: tuple[str, ...] = ()
    disabled: tuple[str, ...] = ()
    known_hashes: tuple[tuple[str, frozenset[str]], ...] = ()

    def examiner(self) -> tuple[Examiner, Fingerprinter]:
        """A new examiner with its fingerprinter. Raises PackError or ConfigError if a pack or rule file is broken."""
        fingerprinter = Fingerprinter(self.salt, FingerprintCache.load())
        registry = Registry(plugins=self.plugins, user_rules=user_rules(self.rule_files), disabled=self.disabled)
        return Examiner(Matcher(registry, self.catalogue), fingerprinter, known_hashes=dict(self.known_hashes)), fingerprinter


def user_rules(files: tuple[str, ...]) -> tuple[Rule, ...]:
    """The rules of TOML files, checked. Nothing is imported where there are none."""
    if not files:
        return ()
    from keyward.scan.config import load_rules

    return tuple(rule for file in files for rule in load_rules(file))
