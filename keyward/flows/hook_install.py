"""`keyward hook git install`: git's own pre-commit hook, for people without the pre-commit framework."""

from __future__ import annotations

import itertools
import os
import sys

from keyward.errors import GitError, UsageError
from keyward.scan.git import HooksFolder, Repository

NAME = "pre-commit"
KEPT = "pre-commit.before-keyward"
"""The hook that was there before. It runs first, and its refusal counts."""

_MARK = b"# keyward: git hook, version "
"""Tells our file from any other one, of this version or an older one."""

_SCRIPT = """\
#!/bin/sh
{mark}1
# Written by `keyward hook git install`; `keyward hook git uninstall` takes it out again.

# What was here before runs first, as git would run it: only if it may be executed.
before="${{0%/*}}/{kept}"
if [ -x "$before" ]; then
    "$before" "$@" || exit $?
fi

python={python}
package={package}
if [ -x "$python" ] && [ -f "$package" ]; then
    # -P and -E: without them, Python would import modules out of the repository that is to be scanned: from the current
    # folder, or from one that PYTHONPATH names (which many tools set from a file `.env`).
    exec "$python" -E -P -m keyward hook run
fi
if command -v keyward >/dev/null 2>&1; then
    exec keyward hook run
fi
echo "keyward: the commit is stopped, because keyward is not there to look at it." >&2
echo "keyward: it was installed with $python. Install it again and run: keyward hook git install" >&2
echo "keyward: to commit without this check: git commit --no-verify" >&2
exit 1
"""


def install(path: str = ".", *, force: bool = False) -> str:
    """Writes the hook where git looks for it, keeps one that is there, and answers what was done.

    Nothing changes if it is installed already. `force`: also into a folder outside of the repository, which other
    repositories may share, and where two hooks of other tools are in the way. Raises UsageError or GitError when refused.
    """
    repository = _repository(path)
    folder = repository.hooks_folder()
    if _is_outside(repository, folder) and not force:
        raise UsageError(
            f"{_reason(folder)} sends git to {folder.path!r} for hooks, outside of this repository, and other repositories may "
            "share that folder; nothing was installed",
            hint=f"For hooks of its own: git config core.hooksPath {os.path.join(repository.common_dir, 'hooks')!r}. To install "
            "keyward in the shared folder: repeat with --force.",
        )
    hook, kept = os.path.join(folder.path, NAME), os.path.join(folder.path, KEPT)
    content = _script()
    if _is_ours(hook):
        if _read(hook) == content and os.access(hook, os.X_OK):
            return _report(repository, folder, f"keyward is already installed in {hook!r}.")
        done = f"keyward's hook in {hook!r} is up to date again."
    elif not os.path.lexists(hook):
        done = f"keyward is installed in {hook!r}."
    else:
        if os.path.lexists(kept) and not force:
            raise UsageError(
                f"both {hook!r} and {kept!r} are hooks that are not keyward's",
                hint="Remove the one that is no longer needed, or repeat with --force to keep both; only the first will run.",
            )
        done = f"keyward is installed in {hook!r}. The hook that was there is kept as {KEPT!r} and runs first."
    try:
        _write(hook, kept, content)
    except OSError as error:
        raise GitError(
            f"the hook cannot be written to {folder.path!r}: {(error.strerror or 'unknown reason').lower()}",
            hint="Check the folder's rights, and core.hooksPath.",
        ) from None
    return _report(repository, folder, done)


def uninstall(path: str = ".") -> str:
    """Takes the hook out and puts back, unchanged, what was there before; answers what was done."""
    repository = _repository(path)
    done: list[str] = []
    for folder in _folders(repository):
        hook, kept = os.path.join(folder, NAME), os.path.join(folder, KEPT)
        try:
            if os.path.lexists(hook) and not _is_ours(hook):
                if os.path.lexists(kept):
                    done.append(f"{hook!r} is not keyward's and stays; so does {kept!r}.")
            elif os.path.lexists(kept):
                os.replace(kept, hook)
                done.append(f"keyward is taken out; {hook!r} is again what it was before.")
            elif os.path.lexists(hook):
                os.unlink(hook)
                done.append(f"keyward is taken out; {hook!r} is gone.")
        except OSError as error:
            raise GitError(f"{hook!r} cannot be changed: {(error.strerror or 'unknown reason').lower()}") from None
    return "\n".join(done) or "keyward is not installed as a hook here. Nothing was changed."


def status(path: str = ".") -> str:
    """Which hook git runs in this repository, and what is wrong with it."""
    repository = _repository(path)
    folder = repository.hooks_folder()
    hook = os.path.join(folder.path, NAME)
    if _is_ours(hook):
        said = f"keyward runs before each commit, from {hook!r}."
        if not os.access(hook, os.X_OK):
            said = f"keyward's hook {hook!r} may not be executed, so git does NOT run it. Run: keyward hook git install"
        elif _read(hook) != _script():
            said += " It was written by another version or interpreter; `keyward hook git install` renews it."
        kept = os.path.join(folder.path, KEPT)
        if os.access(kept, os.X_OK):
            said += f" {KEPT!r} runs first."
        return _report(repository, folder, said)
    said = "keyward is not installed as a hook here."
    if os.path.lexists(hook):
        said = f"{hook!r} is another tool's hook; keyward does not run. `keyward hook git install` keeps it and adds keyward."
    for other in _folders(repository):
        if other != folder.path and _is_ours(os.path.join(other, NAME)):
            said = (
                f"keyward's hook in {other!r} does NOT run: core.hooksPath ({folder.scope} configuration) makes git look in "
                f"{folder.path!r} instead."
            )
    return _report(repository, folder, said)


def _repository(path: str) -> Repository:
    repository = Repository.discover(path)
    if repository is None:
        raise UsageError("this is not a git repository", hint="Change to a folder of one, or run: git init")
    return repository


def _folders(repository: Repository) -> list[str]:
    """Where our hook may stand: where git looks now, and where it looks without core.hooksPath."""
    return list(dict.fromkeys([repository.hooks_folder().path, os.path.join(repository.common_dir, "hooks")]))


def _is_outside(repository: Repository, folder: HooksFolder) -> bool:
    real = os.path.realpath(folder.path)
    inside = [os.path.realpath(place) for place in (repository.root, repository.common_dir) if place]
    return not any(real.startswith(place.rstrip(os.sep) + os.sep) for place in inside)


def _reason(folder: HooksFolder) -> str:
    return f"core.hooksPath ({folder.scope} configuration)" if folder.scope else "a link in place of the folder `hooks`"


def _report(repository: Repository, folder: HooksFolder, done: str) -> str:
    """What was done, and what the user should know about the place."""
    if _is_outside(repository, folder):
        return f"{done}\nNote: {_reason(folder)} sends git to {folder.path!r}, which other repositories may share."
    real = os.path.realpath(folder.path)
    if not real.startswith(os.path.realpath(repository.common_dir) + os.sep):
        return (
            f"{done}\nNote: {folder.path!r} (core.hooksPath, {folder.scope} configuration) is part of the working tree. The hook "
            "names this machine's Python; do not commit it."
        )
    return done


def _script() -> bytes:
    """The hook, for the interpreter and the package that run now."""
    if not sys.executable:
        raise UsageError("this Python does not know its own path", hint="Run keyward by an absolute path.")
    import keyward

    package = os.path.abspath(keyward.__file__ or "")
    text = _SCRIPT.format(mark=_MARK.decode(), kept=KEPT, python=_quoted(sys.executable), package=_quoted(package))
    return os.fsencode(text)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(1 << 20)
    except OSError:
        return b""


def _is_ours(path: str) -> bool:
    # a link to our hook elsewhere is somebody's own arrangement, to be kept like any other hook
    return (
        os.path.isfile(path)
        and not os.path.islink(path)
        and any(line.startswith(_MARK) for line in _read(path).split(b"\n")[:3])
    )


def _write(hook: str, kept: str, content: bytes) -> None:
    """Writes beside the hook, then moves: a crash leaves either the old hook, or none and the kept one, or the new one."""
    os.makedirs(os.path.dirname(hook), exist_ok=True)
    temporary = f"{hook}.{os.getpid()}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o755)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.chmod(temporary, 0o755)
        if os.path.lexists(hook) and not _is_ours(hook):
            if os.path.lexists(kept):
                numbered = (f"{kept}.{number}" for number in itertools.count(1))
                os.rename(kept, next(name for name in numbered if not os.path.lexists(name)))
            os.rename(hook, kept)
        os.replace(temporary, hook)
    except BaseException:
        if os.path.lexists(temporary):
            os.unlink(temporary)
        raise
