"""What git holds: the staged change, what changed between two commits, and the file names that a commit hook is given."""

from __future__ import annotations

import os
from collections.abc import Iterable

from keyward.errors import UsageError
from keyward.flows.project import Project
from keyward.flows.scan import Gathered, Progress, ScanOptions
from keyward.model.finding import Excluded, NotScanned
from keyward.scan.examine import Examiner, Place
from keyward.scan.git import Changes, Repository
from keyward.scan.reader import Read
from keyward.scan.sources.tree import check_exists


def staged(options: ScanOptions, project: Project, gathered: Gathered, stdin: Read | None, progress: Progress) -> None:
    """What the next commit would hold, read from the index as objects."""
    repository = _repository()
    _changes(repository, repository.staged(), project, gathered, progress)


def refs(options: ScanOptions, project: Project, gathered: Gathered, stdin: Read | None, progress: Progress) -> None:
    """What `to_ref` holds that `from_ref` does not."""
    if not (options.from_ref and options.to_ref):
        raise UsageError("--from-ref and --to-ref go together")
    repository = _repository()
    _changes(repository, repository.changed(options.from_ref, options.to_ref), project, gathered, progress)


def hook(options: ScanOptions, project: Project, gathered: Gathered, stdin: Read | None, progress: Progress) -> None:
    """File names: one that is staged is read from the index, any other from the working tree."""
    names = options.hook_files or ()
    repository = Repository.discover(".")
    in_tree = list(names)
    if repository is not None and repository.root:
        root = os.path.realpath(repository.root)
        inside = {os.fsencode(_relative(name, root)): name for name in names}
        entries = repository.index_entries([path for path in inside if not path.startswith(b"../")])
        from_index = Changes(entry for entry in entries if entry.staged)
        _changes(repository, from_index, project, gathered, progress)
        read = {entry.path for entry in from_index} | set(entries.submodules)
        in_tree = [name for path, name in inside.items() if path not in read]
        if not all(map(os.path.lexists, in_tree)):
            # what was deleted, staged or not, holds nothing to scan; any other name is a mistake of the caller
            known = {entry.path for entry in entries} | _committed(repository)
            in_tree = [
                name for path, name in inside.items() if name in in_tree and (os.path.lexists(name) or path not in known)
            ]
    if in_tree:
        _tree(in_tree, options, project, gathered, progress)


def _committed(repository: Repository) -> set[bytes]:
    """Every path of the last commit."""
    return {entry.path for entry in repository.changed("0" * 40, repository.head)} if repository.head else set()


def _relative(name: str, root: str) -> str:
    """The name relative to the top of the repository; the last part is not followed if it is a link."""
    folder, base = os.path.split(os.path.abspath(name))
    return os.path.relpath(os.path.join(os.path.realpath(folder), base), root).replace(os.sep, "/")


def _tree(names: Iterable[str], options: ScanOptions, project: Project, gathered: Gathered, progress: Progress) -> None:
    from keyward.scan.pool import examine_file

    examiner, cache = project.recipe.examiner()
    exclude = project.exclude_below(".")
    for name in names:
        check_exists(name)
        rule = exclude(name.replace(os.sep, "/"), False)
        if rule:
            gathered.excluded.append(Excluded(name, rule))
        elif os.path.islink(name) or os.path.isdir(name):
            continue  # what a link points to is met by its own name; a folder is a submodule
        else:
            gathered.add(examine_file(examiner, name, follow=False))
        progress(gathered.files, gathered.bytes, len(gathered.occurrences))
    gathered.learned.update(cache.take())


def _repository() -> Repository:
    repository = Repository.discover(".")
    if repository is None:
        raise UsageError("this folder is in no git repository", hint="Scan it as a folder: keyward scan .")
    return repository


def _changes(repository: Repository, changes: Changes, project: Project, gathered: Gathered, progress: Progress) -> None:
    gathered.excluded.extend(
        Excluded(os.fsdecode(path), "submodule: another repository, scan it by itself") for path in changes.submodules
    )
    examiner, cache = project.recipe.examiner()
    exclude = project.exclude_below(repository.root or ".")
    prefix = _display_prefix(repository)
    by_blob: dict[str, list[str]] = {}
    for entry in changes:
        path = os.fsdecode(entry.path)
        rule = exclude(path, False)
        if rule:
            gathered.excluded.append(Excluded(prefix + path, rule))
        else:
            by_blob.setdefault(entry.blob, []).append(prefix + path)
    for blob in repository.read_blobs(by_blob):
        first, *others = by_blob[blob.id]
        if blob.missing:
            gathered.not_scanned.extend(NotScanned(path, blob.problem or "missing in this clone") for path in (first, *others))
            continue
        _blob(examiner, gathered, blob.read, blob.id, first, others)
        progress(gathered.files, gathered.bytes, len(gathered.occurrences))
    gathered.learned.update(cache.take())


def _blob(examiner: Examiner, gathered: Gathered, read: Read, blob: str, path: str, others: list[str]) -> None:
    """One object, read once, reported at every path that it has."""
    examined = examiner.examine_source(Place("index", path, blob), read)
    gathered.add(examined)
    if not others:
        return
    from keyward.scan.roles import role_of

    for other in others:
        gathered.files += 1
        role = role_of(other)
        gathered.occurrences.extend(
            o._replace(locator=o.locator._replace(path=other), role=o.role if o.locator.container else role)
            for o in examined.occurrences
        )
        gathered.not_scanned.extend(problem._replace(path=other) for problem in examined.problems)


def _display_prefix(repository: Repository) -> str:
    """What stands before a path of the repository so that it holds from the current folder."""
    if not repository.root:
        return ""
    here, root = os.path.realpath("."), os.path.realpath(repository.root)
    return "" if here == root else os.path.relpath(root, here).replace(os.sep, "/") + "/"
