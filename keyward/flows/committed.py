"""The project's own files (configuration, baseline, other tools' ignore files) as of a commit, read as objects.

In CI and in a `pre-receive` hook the change that is looked at must not bring its own exceptions, so these files come from the commit that
it is to be merged into. A bare repository has no other files; there they come from HEAD.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from keyward.errors import ConfigError, GitError, UsageError
from keyward.flows.project import BASELINE, DETECT_SECRETS, GITLEAKS
from keyward.formats.textfile import text_of
from keyward.scan.config import PROJECT_FILE
from keyward.scan.git import Repository

_REGULAR = (0o100644, 0o100755)


class Committed(NamedTuple):
    """`root`: what paths are relative to, the top of the repository. `ref`: as given. `texts`: by name, of those that are there."""

    root: str
    ref: str
    texts: Mapping[str, str]

    def name(self, file: str) -> str:
        """A file as messages name it."""
        return f"{self.ref}:{file}"


def read_committed(path: str, ref: str) -> Committed | None:
    """The files of a commit; without a `ref` those of HEAD in a bare repository, and None where there is a working tree.

    Raises UsageError where there is no repository, GitError for a name that is no commit, ConfigError for files that cannot be read.
    """
    repository = Repository.discover(path)
    if repository is None:
        if ref:
            raise UsageError(f"--config-ref needs a git repository, and {path!r} is in none")
        return None
    if not ref and not repository.bare:
        return None
    root = os.path.realpath(repository.root or repository.common_dir)
    commit = repository.commit(ref) if ref else repository.head
    texts: dict[str, str] = {}
    if commit:
        try:
            entries = repository.files_at(commit, (PROJECT_FILE, BASELINE, DETECT_SECRETS, GITLEAKS))
        except GitError:
            if ref:
                raise
            return Committed(root, "HEAD", {})  # a partial clone: nothing is excluded then
        ref = ref or "HEAD"
        for name, entry in entries.items():
            if entry.mode not in _REGULAR:
                raise ConfigError("is not a regular file", path=f"{ref}:{name}")
        names = {entry.blob: name for name, entry in entries.items()}
        for blob in repository.read_blobs(names):
            name = names[blob.id]
            if blob.missing:
                raise ConfigError(f"cannot be read: {blob.problem}", path=f"{ref}:{name}")
            texts.update({n: text_of(blob.everything(), f"{ref}:{n}") for n, e in entries.items() if e.blob == blob.id})
    return Committed(root, ref, texts)
