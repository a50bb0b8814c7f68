"""What a process needs to scan: small enough to be handed to a worker, complete enough to build the matcher there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from keyward.match.catalogue import Catalogue
from keyward.match.fingerprint import FingerprintCache, Fingerprinter
from keyward.match.matcher import Matcher
from keyward.model.rule import Rule
from keyward.registry import Registry
from keyward.scan.examine import Examiner

if TYPE_CHECKING:
    from keyward.scan.interop import DetectSecretsBaseline


class Recipe(NamedTuple):
    """Holds no secret but the salt, which every report carries anyway. `rule_files`: TOML files of user rules. `root`: what
    the paths of `detect_secrets` are relative to."""

    catalogue: Catalogue
    salt: bytes
    plugins: tuple[str, ...] = ()
    rule_files: tuple[str, ...] = ()
    disabled: tuple[str, ...] = ()
    detect_secrets: DetectSecretsBaseline | None = None
    root: str = ""

    def registry(self) -> Registry:
        """The packs that are scanned with."""
        return Registry(plugins=self.plugins, user_rules=user_rules(self.rule_files), disabled=self.disabled)

    def examiner(self) -> tuple[Examiner, FingerprintCache]:
        """A new examiner, and the cache that collects the fingerprints that it computes.

        Raises PackError or ConfigError if a pack or rule file is broken.
        """
        cache = FingerprintCache()
        examiner = Examiner(
            Matcher(self.registry(), self.catalogue),
            Fingerprinter(self.salt, cache),
            detect_secrets=self.detect_secrets,
            root=self.root,
        )
        return examiner, cache


def user_rules(files: tuple[str, ...]) -> tuple[Rule, ...]:
    """The rules of TOML files, checked. Nothing is imported where there are none."""
    if not files:
        return ()
    from keyward.scan.config import load_rules

    return tuple(rule for file in files for rule in load_rules(file))
