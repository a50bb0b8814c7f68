"""The texts in a git folder that are no objects: the configuration with the addresses of remotes, drafts of messages, reflogs, hooks."""

from __future__ import annotations

import os

from keyward.scan.git import Repository
from keyward.scan.git_tips import worktree_folders

_NOT_READ = frozenset({"objects", "refs", "lfs", "modules", "worktrees", "index", "rr-cache", "shallow", "commondir", "gitdir"})
"""Folders of objects and of other repositories, and files that hold nothing but ids, names and numbers."""


def texts_of(repository: Repository) -> list[str]:
    """Their paths, in all worktrees. Links are not followed, and the samples that git brings are left out."""
    found: list[str] = []
    for folder in worktree_folders(repository):
        for path, folders, names in os.walk(folder):
            top = path == folder
            folders[:] = sorted(name for name in folders if not (top and name in _NOT_READ))
            found.extend(
                os.path.join(path, name)
                for name in sorted(names)
                if not (top and name in _NOT_READ)
                and not name.endswith((".sample", ".lock"))
                and not name.startswith("sharedindex.")
                and not os.path.islink(os.path.join(path, name))
            )
    return found
