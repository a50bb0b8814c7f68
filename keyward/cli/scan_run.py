"""What `keyward scan` does, apart from the parsing of its options; and the quick way to it.

Importing typer costs a quarter of a second. A command line of plain, well-formed options is read here; anything else
(help, abbreviations, mistakes) goes to typer, which explains itself better. A test holds the two against each other.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from keyward.errors import UsageError

FLAGS = {
    "--staged": "staged", "--tracked": "tracked", "--no-baseline": "no_baseline", "--strict": "strict", "--reveal": "reveal",
    "--quiet": "quiet", "-q": "quiet", "--history": "history", "--all-objects": "all_objects", "--host": "host",
    "--verify": "verify", "--verify-databases": "verify_databases", "--timeline": "timeline", "--no-cache": "no_cache",
    "--explain": "explain",
}  # fmt: skip
VALUES = {
    "--from-ref": "from_ref", "--to-ref": "to_ref", "--files-from": "files_from", "--format": "format", "-f": "format",
    "--output": "output", "-o": "output", "--persona": "persona", "--baseline": "baseline", "--config": "config",
    "--engine": "engine", "--color": "color", "--since": "since", "--commits": "commits", "--config-ref": "config_ref",
    "--gitleaks-config": "gitleaks_config",
}  # fmt: skip
LISTS = {"--exclude": "exclude", "--rules": "rules", "--branch": "branch", "--source": "source",
    "--detect-secrets-plugin": "detect_secrets_plugin",
}  # fmt: skip
NUMBERS = {"--jobs": "jobs", "-j": "jobs", "--max-depth": "max_depth"}


def parse(words: Sequence[str]) -> dict[str, Any] | None:
    """The arguments of `run`, or None for what is better left to typer."""
    parsed: dict[str, Any] = {"paths": []}
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        if not word.startswith("-") or word == "-":
            parsed["paths"].append(word)
        elif word in FLAGS:
            parsed[FLAGS[word]] = True
        elif name in VALUES or name in LISTS or name in NUMBERS:
            if not equals:
                following = next(rest, None)
                if following is None or (following.startswith("-") and following != "-"):
                    return None
                value = following
            if name in LISTS:
                parsed.setdefault(LISTS[name], []).append(value)
            elif name in NUMBERS:
                if not (value.isascii() and value.isdigit()):
                    return None
                parsed[NUMBERS[name]] = int(value)
            else:
                parsed[VALUES[name]] = value
        else:
            return None
    return parsed


def run(
    *,
    paths: Sequence[str] | None = None,
    staged: bool = False,
    tracked: bool = False,
    from_ref: str = "",
    to_ref: str = "",
    history: bool = False,
    all_objects: bool = False,
    since: str = "",
    branch: Sequence[str] | None = None,
    commits: str = "",
    config_ref: str = "",
    host: bool = False,
    source: Sequence[str] | None = None,
    files_from: str = "",
    exclude: Sequence[str] | None = None,
    format: str = "text",
    output: str | None = None,
    persona: str | None = None,
    baseline: str | None = None,
    no_baseline: bool = False,
    rules: Sequence[str] | None = None,
    config: str | None = None,
    verify: bool = False,
    verify_databases: bool = False,
    timeline: bool = False,
    explain: bool = False,
    max_depth: int | None = None,
    no_cache: bool = False,
    strict: bool = False,
    reveal: bool = False,
    jobs: int = 0,
    engine: str = "hyperscan",
    color: str = "auto",
    quiet: bool = False,
    gitleaks_config: str = "",
    detect_secrets_plugin: Sequence[str] | None = None,
) -> int:
    """Scans, prints or writes the report, and answers with the exit code. Raises what the flow raises, and UsageError."""
    from keyward.cli.exits import exit_code
    from keyward.cli.output import use_color, width, write
    from keyward.cli.progress import CompileMessage, ProgressLine
    from keyward.cli.render import check_format, render_outcome
    from keyward.flows.scan import ScanOptions, scan

    check_format(format)
    _check(engine, ("hyperscan", "portable"), "--engine")
    _check(color, ("auto", "always", "never"), "--color")
    if baseline is not None and no_baseline:
        raise UsageError("--baseline and --no-baseline exclude each other")
    if reveal and (format != "text" or output is not None or not sys.stdout.isatty()):
        raise UsageError("--reveal shows values on a terminal only", hint="Leave out --format, --output and pipes.")
    named = [*(paths or ()), *_listed(files_from)]
    _check_companions(
        {
            "--history": (
                history,
                {
                    "--all-objects": all_objects,
                    "--since": since,
                    "--branch": branch,
                    "--commits": commits,
                    "--config-ref": config_ref,
                },
            ),
            "--host": (host, {"--source": source}),
            "--verify": (verify, {"--verify-databases": verify_databases}),
        }
    )
    if (staged or from_ref or to_ref) and named:
        raise UsageError("--staged and --from-ref take no paths", hint="Leave the paths out, or scan them by themselves.")
    limits = None
    if max_depth is not None:
        from keyward.formats.opened import Limits

        limits = Limits(depth=max_depth)
    options = ScanOptions(
        paths=tuple(named) if named or files_from else (() if host else (".",)),
        staged=staged,
        tracked=tracked,
        from_ref=from_ref,
        to_ref=to_ref,
        exclude=tuple(exclude or ()),
        persona=persona,
        baseline="" if no_baseline else baseline,
        rule_files=tuple(rules or ()),
        operator_config=config,
        jobs=jobs,
        portable=engine == "portable",
        history=history,
        all_objects=all_objects,
        since=since,
        branch=tuple(branch or ()),
        commits=commits,
        config_ref=config_ref,
        host=host,
        sources=tuple(name for each in source or () for name in each.split(",") if name),
        cache=not no_cache,
        limits=limits,
        gitleaks_config=gitleaks_config,
        detect_secrets_plugins=tuple(detect_secrets_plugin or ()),
    )
    progress, message = ProgressLine(enabled=False if quiet else None), CompileMessage()
    try:
        outcome = scan(options, stdin=lambda size: os.read(0, size), progress=progress, on_compile=message)
        if verify:
            from keyward.flows.verify import verified

            outcome = verified(outcome, config=config, databases=verify_databases, progress=progress.asked)
    finally:
        message.done()
        progress.clear()
    colored = output is None and use_color(sys.stdout, color)
    text = render_outcome(format, outcome, color=colored, width=width(), strict=strict, timeline=timeline, explain=explain)
    write(text, output)
    if output is not None and not quiet:
        places = sum(len(finding.occurrences) for finding in outcome.findings)
        print(f"keyward: {len(outcome.findings)} findings in {places} places; the report is in {output}", file=sys.stderr)
    if reveal:
        from keyward.cli.reveal import reveal_values

        reveal_values(outcome)
    return exit_code(outcome, strict)


def _check_companions(options: dict[str, tuple[bool, dict[str, object]]]) -> None:
    """Raises UsageError for an option that means something only beside another one that is not there."""
    for main, (given, companions) in options.items():
        for name, value in companions.items():
            if value and not given:
                raise UsageError(f"{name} goes with {main}")


def _check(value: str, allowed: tuple[str, ...], option: str) -> None:
    if value not in allowed:
        raise UsageError(f"{option} {value!r} is none of {', '.join(allowed)}")


def _listed(source: str) -> list[str]:
    """The paths in a list file: separated by NULs if it has any, else by line ends."""
    if not source:
        return []
    try:
        with open(0 if source == "-" else source, "rb", closefd=source != "-") as file:
            data = file.read()
    except OSError as error:
        raise UsageError(f"cannot read {source!r}: {(error.strerror or '').lower()}") from None
    names = data.split(b"\0") if b"\0" in data else data.splitlines()
    return [os.fsdecode(name) for name in names if name]
