"""What an operator does to have a secret out of a repository's history, and whom it concerns: refs, remotes, everybody with a clone."""

from __future__ import annotations

import os
import re
from shlex import quote

from keyward.errors import GitError
from keyward.model.finding import Outcome
from keyward.scan.git import Repository, refused
from keyward.scan.git_process import HARDENED, hardened_environment
from keyward.scan.git_process import run as run_git


def _git(repository: Repository, *words: str) -> list[str]:
    arguments = [*HARDENED, f"--git-dir={repository.common_dir}", *words]
    result = run_git(arguments, environment=hardened_environment())
    if result.code:
        raise refused(words[0], result)
    return [line for line in os.fsdecode(result.output).split("\n") if line]


def refs_of(repository: Repository, outcome: Outcome) -> tuple[str, ...]:
    """The refs that lead to a commit which brings one of the secrets in."""
    commits = {each.provenance.commit for finding in outcome.findings for each in finding.occurrences} - {""}
    found: dict[str, None] = {}
    for commit in sorted(commits):
        try:
            for ref in _git(repository, "for-each-ref", "--format=%(refname)", f"--contains={commit}"):
                found[ref] = None
        except GitError:
            continue  # a commit that no ref leads to
    return tuple(sorted(found))


_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")


def remotes_of(repository: Repository) -> tuple[str, ...]:
    try:
        lines = _git(repository, "config", "--local", "--get-regexp", r"^remote\..*\.url$")
    except GitError:
        return ()
    parted = (line.partition(" ") for line in lines)
    return tuple(
        f"{key.removeprefix('remote.').removesuffix('.url')}: {_CREDENTIALS.sub('', address)}" for key, _, address in parted
    )


def steps_of(root: str, output: str, blobs: str, pushed: bool) -> tuple[tuple[str, str], ...]:
    output, blobs = os.path.abspath(output), os.path.abspath(blobs) if blobs else ""
    clone = os.path.abspath(root).rstrip("/").removesuffix(".git").rstrip("/") + "-cleaned.git"
    # a clone of the clone would take its branches for all there is; --mirror takes every ref. --no-local copies only what they lead to
    words = [
        "git", "-C", quote(clone), "filter-repo", "--sensitive-data-removal", "--no-fetch",
        "--replace-text", quote(output), "--replace-message", quote(output),
    ]  # fmt: skip
    if blobs:
        words += ["--strip-blobs-with-ids", quote(blobs)]
    steps = [
        ("Have everybody push what they have, and stop pushing until the end.", ""),
        ("Work on a fresh copy of every ref.", f"git clone --mirror --no-local {quote(os.path.abspath(root))} {quote(clone)}"),
        ("Rewrite it. git filter-repo comes with: pip install git-filter-repo", " ".join(words)),
        ("See that nothing is left in any object.", f"keyward scan --history --all-objects --no-cache {quote(clone)}"),
    ]
    if pushed:
        address = f'"$(git -C {quote(os.path.abspath(root))} remote get-url origin)"'
        steps.append(
            ("Put it in place of what was published. Protected branches must allow that for a moment.",
             f"git -C {quote(clone)} push --force --mirror {address}")
        )  # fmt: skip
        steps.append(
            (
                "Ask the host to drop what it keeps besides: refs of pull and merge requests, cached views, forks (each is a copy of its own).",
                "",
            )
        )
    steps += [
        ("Tell everybody with a clone, CI caches and mirrors included: throw it away and clone anew. Work that is merged from an old clone "
         "brings the secret back.", ""),
        ("Put the rewritten copy in the place of this repository, and delete this one.", ""),
        ("Delete the files with the values.", f"shred -u {quote(output)}" + (f" {quote(blobs)}" if blobs else "")),
    ]  # fmt: skip
    return tuple(steps)
