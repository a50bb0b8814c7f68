"""What a process needs to scan: small enough to be handed to a worker, complete enough to build the matcher there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from keyward.match.catalogue import Catalogue
from keyward.match.fingerprint import FingerprintCache, Fingerprinter
from keyward.match.matcher import Matcher
from keyward.registry import Registry
from keyward.scan.examine import Examiner

if TYPE_CHECKING:
    from keyward.formats.opened import Limits
    from keyward.scan.interop import DetectSecretsBaseline
    from keyward.scan.interop.translated import ForeignRules


class RuleFile(NamedTuple):
    """A TOML file of rules. `project`: it came with the scanned project, so its rules rank below the built-in ones. `text`: what was
    in it in a commit, None to read the file."""

    path: str
    project: bool = False
    text: str | None = None


class Recipe(NamedTuple):
    """Holds no secret but the salt, which every report carries anyway. `root`: what
    the paths of `detect_secrets` are relative to. `limits`: how far containers are opened, None for the default. `foreign`: another scanner's
    rules and allowlists, `detect_secrets_plugins`: files and names of that tool's plugins; both only as the operator names them."""

    catalogue: Catalogue
    salt: bytes
    plugins: tuple[str, ...] = ()
    rule_files: tuple[RuleFile, ...] = ()
    disabled: tuple[str, ...] = ()
    detect_secrets: DetectSecretsBaseline | None = None
    root: str = ""
    limits: Limits | None = None
    foreign: ForeignRules | None = None
    detect_secrets_plugins: tuple[str, ...] = ()

    def registry(self) -> Registry:
        """The packs that are scanned with. Raises ConfigError for a rule file that is wrong."""
        return registry_of(self.rule_files, self.plugins, self.disabled, self.foreign)

    def matcher(self) -> Matcher:
        """A new matcher, which holds other scanners' rules to what they ask for besides their pattern.

        Raises PackError or ConfigError if a pack, rule file or plugin is broken, MissingExtra if what runs plugins is not installed.
        """
        if self.foreign is None and not self.detect_secrets_plugins:
            return Matcher(self.registry(), self.catalogue)
        from keyward.scan.interop.matching import InteropMatcher

        plugins = None
        if self.detect_secrets_plugins:
            from keyward.scan.interop.detect_secrets import PluginRunner, load

            plugins = PluginRunner(load(self.detect_secrets_plugins))
        return InteropMatcher(self.registry(), self.catalogue, self.foreign, root=self.root, plugins=plugins)

    def examiner(self) -> tuple[Examiner, FingerprintCache]:
        """A new examiner, and the cache that collects the fingerprints that it computes.

        Raises PackError or ConfigError if a pack or rule file is broken.
        """
        cache = FingerprintCache()
        allows = None
        if self.foreign is not None:
            from keyward.scan.interop.matching import ForeignAllowlists

            allows = ForeignAllowlists(self.foreign, self.root)
        examiner = Examiner(
            self.matcher(),
            Fingerprinter(self.salt, cache),
            detect_secrets=self.detect_secrets,
            root=self.root,
            own_samples=own_samples(self.rule_files),
            limits=self.limits,
            allows=allows,
        )
        return examiner, cache


def registry_of(
    files: Sequence[RuleFile],
    plugins: Sequence[str] = (),
    disabled: Sequence[str] = (),
    foreign: ForeignRules | None = None,
) -> Registry:
    """A registry with the rules of TOML files and another scanner's. Nothing is imported where there are none."""
    if not files and foreign is None:
        return Registry(plugins=plugins, disabled=disabled)
    from keyward.scan.config import load_user_rules

    rules = [each for file in files for each in load_user_rules(file.path, project=file.project, text=file.text)]
    if foreign is not None:
        from keyward.scan.interop.translated import user_rules

        rules.extend(user_rules(foreign))
        disabled = (*disabled, *foreign.disabled)
    return Registry(
        plugins=plugins,
        disabled=disabled,
        user_rules=[each.rule for each in rules],
        user_kinds=[each.kind for each in rules],
    )


def own_samples(files: Sequence[RuleFile]) -> dict[str, tuple[bytes, ...]]:
    """The samples in each rule file, by its real path: where they stand, they are no findings."""
    if not files:
        return {}
    from keyward.scan.config import load_rules

    return {
        os.path.realpath(file.path): tuple(
            shape.sample(0).text
            for rule in load_rules(file.path, project=file.project, text=file.text)
            for shape in (*rule.examples, *rule.near_misses)
        )
        for file in files
    }
