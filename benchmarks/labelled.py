"""keyward and its rivals against labels on lines of real packages, put there by reading them: precision, recall and F1, line by line.

    python benchmarks/labelled.py [--work FOLDER] [--tools keyward,gitleaks] [--truth strict] [--weights levelled] [--drawn] [--json FILE]

`labelled/packages.txt` pins archives of sources, by name, version and SHA-256. They are fetched with the registries' own clients (nothing of
them is built or run), checked, and their texts unpacked below --work. `labelled/labels.jsonl` names lines in them and what stands there; of a
line it holds no more than a short digest, and neither text nor value. A label:

    T  a credential's value, in tests, examples and documents too     P  a placeholder or a template
    F  none                                                           X  cannot be said (a hash of a password, a ciphertext)

Truths: `strict`: only T is a credential (the bar); `lenient`: P does not count either way; `firm`: as strict, without the labels that were in doubt.
X never counts. Lines were drawn from four strata (README.md says which), so that each stands for `weight` lines; tools are compared by the
sums of weights. `levelled`: a package counts for no more than twelve lines that tools report; `population`: every line counts the same.
`--drawn`: with another value in place of each credential (`redrawn.py`), over the files with labelled lines.
A tool finds a line when it reports one with the same text anywhere. The rivals are those of `benchmarks/scan.py`, installed below --work.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import oracle
import redrawn
import scan

HERE = Path(__file__).resolve().parent
FOLDER = HERE / "labelled"

LARGEST = 204_800
"""Bytes of the largest file that is unpacked: lines in larger ones were not labelled."""

SLOW = ("leakkill", "detect-secrets")
"""Run over the files alone that hold a labelled line: they take an hour for the whole of it."""

PYTHONS = ("3.14", "3.13", "3.12", "3.11")
"""Versions that a package is asked for with, until one is allowed: a package that wants an older or a newer one is not offered."""

RESAMPLES = 400
"""Draws of the packages, with replacement, for the interval behind a figure."""

TRUTHS = ("strict", "lenient", "firm")


class Archive(NamedTuple):
    """A line of packages.txt. `kind`: sdist (Python) or npm (JavaScript)."""

    kind: str
    name: str
    version: str
    file: str
    sha256: str

    @property
    def folder(self) -> str:
        return self.file.removesuffix(".zip").removesuffix(".tgz").removesuffix(".tar.gz")


class Label(NamedTuple):
    """A line of labels.jsonl. `line` counts from 1; `digest` is `digest_of` the line."""

    package: str
    version: str
    path: str
    line: int
    digest: str
    label: str
    category: str
    doubt: bool
    stratum: int
    weight: float
    population: float
    split: str


class Figures(NamedTuple):
    """Sums of weights, and how many labelled lines they are of."""

    found: float = 0.0
    false: float = 0.0
    missed: float = 0.0
    lines: int = 0

    @property
    def precision(self) -> float:
        return self.found / (self.found + self.false) if self.found + self.false else 0.0

    @property
    def recall(self) -> float:
        return self.found / (self.found + self.missed) if self.found + self.missed else 0.0

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


Flagged = Mapping[str, int]
"""Digest of a line that a tool reports, and its confidence from 0 to 100 (100 where the tool has none)."""


def digest_of(line: bytes) -> str:
    return hashlib.blake2b(line.strip(), digest_size=8).hexdigest()


def archives(path: Path = FOLDER / "packages.txt") -> list[Archive]:
    rows = [line.split() for line in path.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    named = [(kind, pinned.partition("=="), file, sha256) for kind, pinned, file, sha256 in rows]
    return [Archive(kind, name, version, file, sha256) for kind, (name, _, version), file, sha256 in named]


def read_labels(path: Path = FOLDER / "labels.jsonl") -> list[Label]:
    return [Label(**json.loads(line)) for line in path.read_text("utf-8").splitlines()]


# --- the judgement -----------------------------------------------------------------------------------------------------------------------


def counts(label: Label, truth: str) -> bool | None:
    """Whether a credential stands in the line; None: the line does not count for this truth."""
    if label.label == "X" or (truth == "firm" and label.doubt) or (truth == "lenient" and label.label == "P"):
        return None
    return label.label == "T"


def evaluate(
    labels: Iterable[Label], flagged: Flagged, *, truth: str = "strict", weights: str = "levelled", threshold: int = 0
) -> Figures:
    """What a tool found, reported without cause and missed. `threshold`: only what it is at least so sure of."""
    found = false = missed = 0.0
    lines = 0
    for label in labels:
        secret = counts(label, truth)
        if secret is None:
            continue
        lines += 1
        weight = label.weight if weights == "levelled" else label.population
        reported = flagged.get(label.digest, -1) >= threshold
        if secret:
            found, missed = (found + weight, missed) if reported else (found, missed + weight)
        elif reported:
            false += weight
    return Figures(found, false, missed, lines)


def intervals(
    labels: list[Label], flagged: Flagged, *, truth: str, weights: str
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where nine of ten draws of the packages put precision and recall."""
    packages: dict[tuple[str, str], list[Label]] = defaultdict(list)
    for label in labels:
        packages[label.package, label.version].append(label)
    each = [evaluate(of, flagged, truth=truth, weights=weights) for of in packages.values()]
    draw = random.Random(1)
    drawn = [Figures(*map(sum, zip(*draw.choices(each, k=len(each))))) for _ in range(RESAMPLES)]
    edges = []
    for values in (sorted(one.precision for one in drawn), sorted(one.recall for one in drawn)):
        edges.append((values[RESAMPLES // 20], values[-RESAMPLES // 20]))
    return edges[0], edges[1]


# --- the sources -------------------------------------------------------------------------------------------------------------------------


def fetch(archive: Archive, folder: Path, work: Path) -> Path:
    """The archive, checked. Raises SystemExit when what came is not what was labelled."""
    path = folder / archive.file
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        if archive.kind == "npm":
            command = ["npm", "pack", "--ignore-scripts", "--silent", f"{archive.name}@{archive.version}"]
        else:
            # pip would build what it downloads to read its metadata
            client = str(scan.environment(work, "unearth", "unearth") / "unearth")
            command = [client, "--no-binary", "--download", str(folder.absolute()), f"{archive.name}=={archive.version}"]
        # some packages want a recent Python, some say that they do not run with it yet
        for python in [[]] if archive.kind == "npm" else [["--python-version", version] for version in PYTHONS]:
            if not subprocess.run([*command, *python], cwd=folder, stdout=subprocess.DEVNULL, check=False).returncode:
                break
        else:
            raise SystemExit(f"{archive.name} {archive.version} cannot be fetched")
    if hashlib.sha256(path.read_bytes()).hexdigest() != archive.sha256:
        raise SystemExit(f"{archive.file} is not the one that was labelled")
    return path


def members(path: Path) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the regular files of an archive that are not too large."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as packed:
            for entry in packed.infolist():
                if not entry.is_dir() and entry.file_size <= LARGEST:
                    yield entry.filename, packed.read(entry)
    else:
        with tarfile.open(path) as tar:
            for member in tar:
                file = tar.extractfile(member) if member.isreg() and member.size <= LARGEST else None
                if file is not None:
                    yield member.name, file.read()


def unpack(path: Path, target: Path) -> None:
    """Texts only, below `target` and without the folder that all of an archive lies in; links and odd names are left out."""
    for name, data in members(path):
        inside = PurePosixPath(name).parts[1:]
        if not inside or name.startswith("/") or ".." in inside or name.endswith(".map") or b"\0" in data[:8192]:
            continue
        out = target.joinpath(*inside)
        if not out.exists():
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_bytes(data)


def make_trees(work: Path, labels: list[Label]) -> tuple[Path, Path]:
    """All texts, and those alone that hold a labelled line. Raises SystemExit when a labelled line is not what it was."""
    whole, part = work / "labelled" / "tree", work / "labelled" / "part"
    for archive in archives():
        packed = fetch(archive, work / "labelled" / "archives", work)
        if not (whole / archive.folder).exists():
            unpack(packed, whole / archive.folder)
    files: dict[str, list[bytes]] = {}
    for label in labels:
        name = f"{label.package}-{label.version}/{label.path}"
        if name not in files:
            data = (whole / name).read_bytes()
            files[name] = data.split(b"\n")
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            (part / name).write_bytes(data)
        if digest_of(files[name][label.line - 1]) != label.digest:
            raise SystemExit(f"{name}:{label.line} is not the line that was labelled")
    return whole, part


# --- the tools ---------------------------------------------------------------------------------------------------------------------------


def adapted(tool: oracle.Tool) -> oracle.Tool:
    """Every occurrence is reported, and no value is sent anywhere."""
    extra = {"kingfisher": ["--no-dedup"], "detect-secrets": ["--no-verify"]}.get(tool.name, [])
    return tool._replace(command=[*tool.command[:2], *extra, *tool.command[2:]])


def flagged_by(tool: oracle.Tool, tree: Path) -> dict[str, int] | str:
    """The lines that a tool reports, or why there is nothing to compare."""
    found = oracle.run(adapted(tool), str(tree))
    if isinstance(found, str):
        return found
    places: dict[str, dict[int, int]] = defaultdict(dict)
    for report in found:
        sure = int(report.what.split()[1]) if tool.name == oracle.KEYWARD else 100
        lines = places[report.place.path]
        lines[report.place.line] = max(sure, lines.get(report.place.line, 0))
    flagged: dict[str, int] = {}
    for path, lines in places.items():
        if not os.path.isfile(path):  # inside of a container: there are no labels there
            continue
        text = Path(path).read_bytes().split(b"\n")
        for number, sure in lines.items():
            if 0 < number <= len(text):
                key = digest_of(text[number - 1])
                flagged[key] = max(sure, flagged.get(key, 0))
    return flagged


# --- the tables --------------------------------------------------------------------------------------------------------------------------


def splits(labels: list[Label]) -> dict[str, list[Label]]:
    halves = {split: [label for label in labels if label.split == split] for split in sorted({label.split for label in labels})}
    return {"all": labels, **halves}


def row(name: str, figures: Figures) -> str:
    sums = f"{figures.found:.0f} | {figures.false:.0f} | {figures.missed:.0f}"
    return f"| {name} | {sums} | {figures.precision:.3f} | {figures.recall:.3f} | {figures.f1:.3f} |"


HEAD = "| tool | found | false | missed | precision | recall | F1 |\n|---|---:|---:|---:|---:|---:|---:|"


def tables(labels: list[Label], flagged: dict[str, Flagged], every: Flagged, truth: str, weights: str) -> Iterator[str]:
    for name, part in splits(labels).items():
        counted = [counts(label, truth) for label in part]
        yield f"\n### {name}: {sum(one is not None for one in counted)} lines, {counted.count(True)} with a credential; {truth}, {weights}\n"
        yield HEAD
        for tool, lines in sorted(flagged.items(), key=lambda item: -evaluate(part, item[1], truth=truth, weights=weights).f1):
            yield row(tool, evaluate(part, lines, truth=truth, weights=weights))
    yield "\n### Nine of ten draws of the packages\n\n| tool | precision | recall |\n|---|---|---|"
    for tool, lines in flagged.items():
        (low, high), (least, most) = intervals(labels, lines, truth=truth, weights=weights)
        yield f"| {tool} | {low:.2f} to {high:.2f} | {least:.2f} to {most:.2f} |"
    categories = sorted({label.category for label in labels if counts(label, truth)})
    yield f"\n### Recall by category\n\n| category | lines | {' | '.join(flagged)} |\n|---|---:|{'---:|' * len(flagged)}"
    for category in categories:
        part = [label for label in labels if label.category == category and counts(label, truth)]
        shares = (f"{evaluate(part, lines, truth=truth, weights=weights).recall:.2f}" for lines in flagged.values())
        yield f"| {category} | {len(part)} | {' | '.join(shares)} |"
    if every:
        yield "\n### keyward by confidence\n\n| at least | found | false | missed | precision | recall | F1 |\n|---|---:|---:|---:|---:|---:|---:|"
        for threshold in range(10, 101, 5):
            yield row(str(threshold), evaluate(labels, every, truth=truth, weights=weights, threshold=threshold))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "keyward-bench")
    parser.add_argument("--tools", default="", help="only these, comma-separated")
    parser.add_argument("--truth", default="strict", choices=TRUTHS)
    parser.add_argument("--weights", default="levelled", choices=("levelled", "population"))
    parser.add_argument("--drawn", action="store_true", help="with another value in place of each credential")
    parser.add_argument("--json", type=Path, help="write the digests that each tool reports, with its confidence, to this file")
    options = parser.parse_args()
    labels = read_labels()
    whole, part = make_trees(options.work, labels)
    if options.drawn:
        whole = part = options.work / "labelled" / "drawn"
        labels = redrawn.redrawn(labels, options.work / "labelled" / "part", part, digest_of)
    flagged: dict[str, Flagged] = {}
    for tool in oracle.tools(options.work, "regular"):
        if options.tools and tool.name not in options.tools.split(","):
            continue
        lines = flagged_by(tool, part if tool.name in SLOW else whole)
        if isinstance(lines, str):
            print(f"{tool.name}: {lines}", file=sys.stderr)
        else:
            flagged[tool.name] = lines
    every: Flagged = {}
    if oracle.KEYWARD in flagged:
        auditor = next(tool for tool in oracle.tools(options.work, "auditor") if tool.name == oracle.KEYWARD)
        lines = flagged_by(auditor, whole)
        every = {} if isinstance(lines, str) else lines
    for line in tables(labels, flagged, every, options.truth, options.weights):
        print(line)
    if options.json:
        options.json.write_text(json.dumps({**flagged, "keyward, auditor": every}))


if __name__ == "__main__":
    main()
