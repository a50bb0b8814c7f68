"""`keyward scan --history`: every version of every file that a repository holds, and every message, each looked at once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import closing

from keyward.errors import GitError, UsageError
from keyward.flows.project import Project
from keyward.flows.scan import Gathered, Progress, ScanOptions
from keyward.match.fingerprint import FingerprintCache
from keyward.model.finding import Excluded, NotScanned, Occurrence
from keyward.scan.cache import CleanResults, Record, naming_digest, object_entry, results_digest
from keyward.scan.git import IndexEntry, Repository
from keyward.scan.git_tips import head_of, shallow_commits, worktree_folders
from keyward.scan.git_walk import Walk, commits_of, every_object, more_commits, walk
from keyward.scan.history import MISSING, SHORT, Item, merged
from keyward.scan.history_choice import Choice, choose
from keyward.scan.history_places import Found, placed
from keyward.scan.history_pool import Answer, Job, look_at
from keyward.scan.history_record import Remembered, recall, remember
from keyward.scan.reader import Read
from keyward.scan.roles import ECHO

MOST_PATHS = 64
"""Paths of one version that are told apart; a file that stands in more places than that is known well enough."""


def history(options: ScanOptions, project: Project, gathered: Gathered, stdin: Read | None, progress: Progress) -> None:
    """The repositories of the named paths."""
    others = (options.staged, options.tracked, options.from_ref, options.to_ref, options.hook_files is not None)
    if any(others):
        raise UsageError("--history goes with none of --staged, --tracked, --from-ref and --files")
    if options.all_objects and (options.branch or options.since or options.commits):
        raise UsageError("--all-objects goes with none of --branch, --since and --commits", hint="It is about all of them.")
    if "-" in options.paths:
        raise UsageError("--history needs a repository, not standard input")
    FingerprintCache().prepare()
    done: set[str] = set()
    for path in options.paths:
        repository = _repository(path)
        if repository.common_dir not in done:
            done.add(repository.common_dir)
            _Sweep(repository, options, project, gathered, progress).run()


def scan_repository(path: str, options: ScanOptions, project: Project, gathered: Gathered, progress: Progress) -> None:
    """The whole history of the repository whose top is at a path, whatever the options say of a part; its places are told by absolute paths,
    as those of a host's files are. Raises UsageError if there is none, GitError if git refuses it."""
    whole = options._replace(since="", branch=(), commits="", all_objects=False)
    prefix = os.path.abspath(path).replace(os.sep, "/").rstrip("/") + "/"
    _Sweep(_repository(path), whole, project, gathered, progress, prefix).run()


def _repository(path: str) -> Repository:
    repository = Repository.discover(path)
    if repository is None:
        raise UsageError(f"{path!r} is in no git repository", hint="Scan it as a folder: leave out --history.")
    return repository


def shown_prefix(repository: Repository) -> str:
    """What stands before a path of the repository so that a person in the current folder knows which repository is meant."""
    top = os.path.realpath(repository.root or repository.common_dir)
    here = os.path.realpath(".")
    return "" if here == top else os.path.relpath(top, here).replace(os.sep, "/") + "/"


def _stands(walked: Walk, entry: IndexEntry) -> bool:
    """Whether a commit has the same at the same path."""
    return walked.has(entry.blob) and any(place.path == entry.path for place in walked.places(entry.blob))


LISTED = 10
"""Objects and commits of one trouble that are named one by one."""

_FETCH_ALL = "fetch them: git fetch --refetch --no-filter"


class _Sweep:
    """One repository from end to end. `prefix`: what stands before its paths, ending with a slash; None to tell them from the current folder."""

    def __init__(
        self,
        repository: Repository,
        options: ScanOptions,
        project: Project,
        gathered: Gathered,
        progress: Progress,
        prefix: str | None = None,
    ) -> None:
        self._repository, self._options, self._project = repository, options, project
        self._gathered, self._progress = gathered, progress
        self._prefix = shown_prefix(repository) if prefix is None else prefix
        self._exclude = project.exclude_below(repository.root or ".")
        self._selective = bool(project.settings.patterns)
        self._excluded: dict[str, Excluded] = {}
        self._found: list[Found] = []
        self._again: list[Item] = []
        self._uncommitted: set[tuple[str, str]] = set()
        self._troubled: set[str] = set()
        self._known = self._missing = 0

    def run(self) -> None:
        options, repository, gathered = self._options, self._repository, self._gathered
        choice = choose(repository, branches=options.branch, since=options.since, commits=options.commits)
        if choice.note:
            gathered.notes.append(choice.note)
        clean, record = self._caches(choice)
        naming = naming_digest(self._project.recipe) if record is not None else b""
        remembered = recall(record, repository, choice.tips, naming) if record is not None else None
        walked, tags = self._walk(choice, remembered)
        if options.all_objects:
            self._unreachable(walked, tags, every_object(repository))
        unread = self._tell(choice, walked, remembered)
        before = remembered or Remembered()
        again = 0
        if choice.whole:
            not_clean = merged((*before.again, *self._staged(walked, before.again)))
            _, again = self._look(self._not_told(not_clean, before), None)
            self._git_folder()
        count, size = self._look(self._items(choice, walked, tags), clean)
        self._known += before.looked - len(before.again)
        gathered.files += before.looked - len(before.again)
        total = before._replace(looked=before.looked + count, size=before.size + size)
        gathered.bytes += max(0, before.size - again)
        gathered.excluded.extend({each.path: each for each in (*before.excluded, *self._excluded.values())}.values())
        result = placed(repository, self._found, self._prefix, before.versions)
        gathered.occurrences.extend(self._with_ignores(result.occurrences))
        self._say_missing()
        if clean is not None:
            clean.save()
        if record is not None and not unread:
            wanted = result.kept | self._troubled
            items = merged(self._committed(item) for item in self._again if item.id in wanted)
            left_out = {each.path: each for each in (*before.excluded, *self._excluded.values())}
            remember(
                record,
                repository,
                choice.tips,
                [item for item in items if item.paths],
                result.versions,
                count=total.looked,
                size=total.size,
                excluded=left_out.values(),
                naming=naming,
                found=self._lasting(),
            )
        if self._known:
            gathered.notes.append(f"{self._known:,} objects are known from an earlier run (--no-cache looks at them again)")

    # --- what is remembered

    def _caches(self, choice: Choice) -> tuple[CleanResults | None, Record | None]:
        if not self._options.cache:
            return None, None
        digest = results_digest(self._project.recipe, self._options.limits)
        clean = CleanResults(digest)
        if not choice.whole:
            return clean, None
        repository = self._repository
        where = (os.path.realpath(repository.common_dir), os.path.realpath(repository.objects), self._prefix)
        return clean, Record(
            digest, where, self._options.all_objects, self._project.settings.patterns, repository.object_format
        )

    def _not_told(self, items: Iterable[Item], before: Remembered) -> Iterator[Item]:
        """Those of the items that have to be looked at; of the others what was found is taken from the earlier run."""
        unchanged = set(before.again)
        for item in items:
            found = before.found.get(item.id)
            if found is None or item not in unchanged:
                yield item
                continue
            self._again.append(item)
            self._found.extend(found)
            self._known += 1
            self._gathered.files += 1

    def _lasting(self) -> Iterator[Found]:
        """What the next run need not look for: all of an object that was read whole and that no index has at another path."""
        staged = {id for id, _ in self._uncommitted}
        return (each for each in self._found if each.item.id not in self._troubled and each.item.id not in staged)

    def _tell(self, choice: Choice, walked: Walk, remembered: Remembered | None) -> bool:
        """Names what cannot be looked at, and what is another repository; whether there was anything of the former."""
        told = [*choice.tips.problems]
        top = self._prefix or "."
        if walked.problem:
            told.append(NotScanned(top, f"not every commit can be read ({walked.problem}); all that are here were looked at"))
        told.extend(NotScanned(f"{self._prefix}commit {id[:SHORT]}", why) for id, why in walked.unread[:LISTED])
        if len(walked.unread) > LISTED:
            more = len(walked.unread) - LISTED
            told.append(NotScanned(top, f"{more:,} more commits whose files cannot all be listed; {_FETCH_ALL}"))
        ends = shallow_commits(self._repository)
        if ends and ((remembered is not None and remembered.shallow) or not set(ends).isdisjoint(walked.commits)):
            why = f"a shallow clone: what came before {ends[0][:SHORT]}"
            why += f" and {len(ends) - 1} more commits" if len(ends) > 1 else ""
            told.append(NotScanned(top, f"{why} is not here; fetch it: git fetch --unshallow"))
        self._gathered.not_scanned.extend(told)
        for path in sorted(walked.submodules):
            shown = self._prefix + os.fsdecode(path)
            self._excluded[shown] = Excluded(shown, "submodule: another repository, scan it by itself")
        return bool(told)

    # --- what there is to be looked at

    def _walk(self, choice: Choice, remembered: Remembered | None) -> tuple[Walk, dict[str, str]]:
        tips, known = choice.tips, remembered or Remembered()
        commits = [id for id in tips.commits if id not in known.tips]
        without = (*choice.without, *known.tips)
        trees = [id for id in tips.trees if id not in known.others]
        walked = walk(self._repository, commits, without, trees=trees, keep=self._keep, jobs=self._jobs)
        for blob in tips.blobs:
            if blob not in known.others:
                walked.add(blob.encode("ascii"), os.fsencode(f"object {blob[:SHORT]}"), -1)
        return walked, {id: name for id, name in tips.tags.items() if id not in known.others}

    def _keep(self, path: bytes) -> bool:
        if not self._selective:
            return True
        shown = os.fsdecode(path)
        rule = self._exclude(shown, False)
        if rule:
            self._excluded[shown] = Excluded(self._prefix + shown, rule)
        return not rule

    def _unreachable(self, walked: Walk, tags: dict[str, str], stored: dict[str, str]) -> None:
        """With --all-objects: commits that nothing leads to, what they hold, and blobs that stand alone."""
        reached = set(walked.commits)
        more_commits(self._repository, walked, [id for id, kind in stored.items() if kind == "commit" and id not in reached])
        for id, kind in stored.items():
            if kind == "blob" and not walked.has(id):
                walked.add(id.encode("ascii"), os.fsencode(f"object {id[:SHORT]}"), -1)
            elif kind == "tag":
                tags.setdefault(id, id[:SHORT])

    def _committed(self, item: Item) -> Item:
        """Without the paths at which it is only staged: the next run sees for itself what is staged then."""
        kept = [number for number, path in enumerate(item.paths) if (item.id, path) not in self._uncommitted]
        return item._replace(
            paths=tuple(item.paths[number] for number in kept), commits=tuple(item.commits[number] for number in kept)
        )

    def _staged(self, walked: Walk, before: tuple[Item, ...]) -> Iterator[Item]:
        """What the indexes of the worktrees hold that their HEADs do not."""
        repository = self._repository
        known = {item.id: item.paths for item in before}
        for folder in worktree_folders(repository):
            if not os.path.isfile(os.path.join(folder, "index")):
                continue
            own = os.path.realpath(folder) == os.path.realpath(repository.git_dir)
            other = repository if own else repository.of_worktree(folder)
            if not own:
                other.head = head_of(repository, folder)
            try:
                changes = other.staged()
            except GitError as error:
                self._gathered.not_scanned.append(NotScanned(os.path.join(folder, "index"), str(error)))
                continue
            for entry in changes:
                path = self._prefix + os.fsdecode(entry.path)
                if path not in known.get(entry.blob, ()) and self._keep(entry.path) and not _stands(walked, entry):
                    self._uncommitted.add((entry.blob, path))
                    yield Item(entry.blob, "blob", (path,))

    def _shown(self, path: str, of_note: bool) -> str:
        """A path as the user sees it. A note is a file whose path is the id of what it is about, cut by slashes."""
        about = path.replace("/", "") if of_note else ""
        if len(about) in (40, 64) and not about.strip("0123456789abcdef"):
            return f"{self._prefix}note on {about[:SHORT]}"
        return self._prefix + path

    def _items(self, choice: Choice, walked: Walk, tags: dict[str, str]) -> Iterator[Item]:
        """Versions of one file follow one another: git stores them as differences, and reads them fastest so."""
        of_notes = set(commits_of(self._repository, choice.tips.notes)) if choice.tips.notes else set()
        for id in walked.commits:
            yield Item(id, "commit", (f"{self._prefix}commit {id[:SHORT]} message",), (id,))
        for id, name in tags.items():
            yield Item(id, "tag", (f"{self._prefix}tag {name} message",))
        known: dict[tuple[bytes, bool], str] = {}

        def shown(path: bytes, of_note: bool) -> str:
            if (path, of_note) not in known:
                known[path, of_note] = self._shown(os.fsdecode(path), of_note)
            return known[path, of_note]

        for id in walked.blobs():
            places = walked.places(id)[:MOST_PATHS]
            firsts = tuple([walked.commits[place.commit] if place.commit >= 0 else "" for place in places])
            yield Item(id, "blob", tuple([shown(place.path, its in of_notes) for place, its in zip(places, firsts)]), firsts)

    # --- looking

    @property
    def _jobs(self) -> int:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return self._options.jobs or min(cores, 16)

    def _look(self, items: Iterable[Item], clean: CleanResults | None) -> tuple[int, int]:
        """Looks at those of the items that are not known to be clean; answers with the number of all, and the bytes that were read."""
        gathered = self._gathered
        digest = clean.digest if clean is not None else b""
        count = size = found = 0

        def unknown() -> Iterator[Item]:
            nonlocal count
            for item in items:
                count += 1
                if clean is not None and len(clean) and object_entry(digest, item.id, item.paths) in clean:
                    self._known += 1
                else:
                    yield item

        with self._repository.room() as environment:
            job = Job(self._project.recipe, self._repository, environment, self._prefix)
            with closing(look_at(job, unknown(), jobs=self._jobs)) as answers:
                for answer in answers:
                    self._take(answer)
                    if clean is not None:
                        touched = {look.number for look in answer.looks}
                        untouched = (item for number, item in enumerate(answer.batch) if number not in touched)
                        clean.add(object_entry(digest, item.id, item.paths) for item in untouched)
                    size += answer.size
                    found = sum(len(each.occurrences) for each in self._found)
                    self._progress(gathered.files + count, gathered.bytes + size, len(gathered.occurrences) + found)
        gathered.files += count
        gathered.bytes += size
        return count, size

    def _take(self, answer: Answer) -> None:
        self._gathered.learned.update(answer.learned)
        for look in answer.looks:
            item = answer.batch[look.number]
            self._again.append(item)
            if any(examined.problems for examined in look.examined):
                self._troubled.add(item.id)
            for number, examined in enumerate(look.examined):
                for problem in examined.problems:
                    if problem.reason.startswith(MISSING):
                        self._missing += 1
                        if self._missing > LISTED:
                            continue
                    self._gathered.not_scanned.append(problem)
                if examined.occurrences:
                    at = min(number, len(item.paths) - 1)
                    commit = item.commits[at] if at < len(item.commits) else ""
                    self._found.append(Found(item, item.paths[at], commit, examined.occurrences))

    def _say_missing(self) -> None:
        """A partial clone may lack tens of thousands of objects."""
        if self._missing > LISTED:
            self._gathered.not_scanned.append(
                NotScanned(self._prefix or ".", f"{self._missing - LISTED:,} more objects are not in this clone; {_FETCH_ALL}")
            )

    def _with_ignores(self, occurrences: list[Occurrence]) -> list[Occurrence]:
        """With what other tools' files say of a commit's places."""
        return [
            o
            if o.allowance is not None or not o.provenance.commit
            else o._replace(allowance=self._project.by_place(o.locator.path, o.line, o.provenance.commit))
            for o in occurrences
        ]

    def _git_folder(self) -> None:
        """The texts of the git folder itself: its configuration with the remotes' addresses, drafts of messages, reflogs, hooks."""
        from keyward.scan.git_texts import texts_of
        from keyward.scan.pool import examine_file

        examiner, cache = self._project.recipe.examiner()
        for path in texts_of(self._repository):
            shown = path if os.path.isabs(self._prefix) else os.path.relpath(path)
            examined = examine_file(examiner, shown, follow=False)
            if path.endswith("MSG"):  # what was typed into an editor, beside what git reads
                examined = examined._replace(occurrences=[each._replace(role=ECHO) for each in examined.occurrences])
            self._gathered.add(examined)
        self._gathered.learned.update(cache.take())
