"""`keyward scan`"""

from __future__ import annotations

from typing import Annotated

import typer

EXAMPLES = """**Examples**

`keyward scan` — this folder, `.env` files and everything else that git ignores included

`keyward scan src config.yaml` — what you name

`git diff | keyward scan -` — standard input

`keyward scan --staged` — what the next commit would hold (read from git's index)

`keyward scan --format sarif -o keyward.sarif` — for a code host

`keyward scan --history` — every version of every file in this repository, commit messages and notes included

`keyward scan --history --commits origin/main..HEAD --config-ref origin/main` — what a pull request adds, in CI

`keyward scan --host` — what this machine's agents, shells and tools have written down (`keyward sources` lists where)

`keyward scan --verify` — and ask each provider whether what was found still lives

`keyward scan --persona auditor` — everything, however unsure

**Exit codes**: 0 clean · 1 findings · 2 wrong usage or configuration · 3 something could not be scanned · 10 with `--verify`: a finding
is live · 130 interrupted
"""


def scan(
    paths: Annotated[
        list[str] | None, typer.Argument(help="Folders and files; `-` is standard input.", show_default=".")
    ] = None,
    staged: Annotated[bool, typer.Option("--staged", help="Scan what is staged for the next commit.")] = False,
    tracked: Annotated[
        bool, typer.Option("--tracked", help="Only files that git tracks, as they stand in the working tree.")
    ] = False,
    from_ref: Annotated[
        str, typer.Option("--from-ref", metavar="REV", help="With --to-ref: scan the files that differ between two commits.")
    ] = "",
    to_ref: Annotated[
        str, typer.Option("--to-ref", metavar="REV", help="The newer commit; its files are read. See --from-ref.")
    ] = "",
    history: Annotated[
        bool,
        typer.Option(
            "--history", help="Scan every version that a repository holds: all branches, tags, stashes and the reflog."
        ),
    ] = False,
    all_objects: Annotated[
        bool, typer.Option("--all-objects", help="With --history: what no branch leads to any more as well.")
    ] = False,
    since: Annotated[str, typer.Option("--since", metavar="REV", help="With --history: only what came after a commit.")] = "",
    branch: Annotated[
        list[str] | None, typer.Option("--branch", metavar="NAME", help="With --history: only this branch or tag. Repeatable.")
    ] = None,
    commits: Annotated[
        str, typer.Option("--commits", metavar="A..B", help="With --history: only what the commits of a range bring in.")
    ] = "",
    config_ref: Annotated[
        str,
        typer.Option(
            "--config-ref",
            metavar="REV",
            help="With --history: configuration and baseline as of this commit, so that a change cannot bring its own exceptions.",
        ),
    ] = "",
    host: Annotated[
        bool, typer.Option("--host", help="Scan what agents, shells and tools keep in your home folder, or in the one named.")
    ] = False,
    source: Annotated[
        list[str] | None,
        typer.Option(
            "--source", metavar="NAMES", help="With --host: only these groups or tools (`env,shell,agents/openclaw`)."
        ),
    ] = None,
    files_from: Annotated[
        str,
        typer.Option(
            "--files-from", metavar="FILE", help="Read paths from FILE (`-`: standard input), one a line or NUL-separated."
        ),
    ] = "",
    exclude: Annotated[
        list[str] | None,
        typer.Option("--exclude", metavar="GLOB", help="Leave these out (as in .gitignore; listed in the report). Repeatable."),
    ] = None,
    format: Annotated[str, typer.Option("--format", "-f", help="text, json, jsonl, sarif, junit or gitlab.")] = "text",
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Write the report to FILE, whole or not at all.")
    ] = None,
    persona: Annotated[
        str | None,
        typer.Option("--persona", help="How much you want to see: regular, pedantic or auditor.", show_default="regular"),
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option(
            "--baseline", metavar="FILE", help="Let pass what FILE lists.", show_default=".keyward.baseline if it is there"
        ),
    ] = None,
    no_baseline: Annotated[bool, typer.Option("--no-baseline", help="Let nothing pass because a baseline lists it.")] = False,
    rules: Annotated[
        list[str] | None, typer.Option("--rules", metavar="TOML", help="Add rules of your own. Repeatable.")
    ] = None,
    config: Annotated[
        str | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="Your own configuration, instead of $KEYWARD_CONFIG or the one in your configuration folder.",
        ),
    ] = None,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify", help="Ask each provider whether what was found still lives. Sends a secret to its issuer alone."
        ),
    ] = False,
    verify_databases: Annotated[
        bool, typer.Option("--verify-databases", help="With --verify: try connection strings against their servers, too.")
    ] = False,
    timeline: Annotated[
        bool, typer.Option("--timeline", help="Order the places of each secret by when it first stood there.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show every signal for and against each finding, with its weight.")
    ] = False,
    max_depth: Annotated[
        int | None,
        typer.Option(
            "--max-depth", min=0, help="How far containers in containers are opened; 0: not at all.", show_default="8"
        ),
    ] = None,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Look at everything, also at what was clean the last time.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 3 for known encrypted stores, too.")] = False,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show the values after the report. Only on a terminal.")] = False,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=0, help="Worker processes.", show_default="one per core")] = 0,
    engine: Annotated[str, typer.Option("--engine", help="hyperscan or portable.", hidden=True)] = "hyperscan",
    color: Annotated[str, typer.Option("--color", help="auto, always or never.")] = "auto",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on standard error.")] = False,
    gitleaks_config: Annotated[
        str, typer.Option("--gitleaks-config", metavar="FILE", help="Use a rule file of gitleaks or betterleaks as well.")
    ] = "",
    detect_secrets_plugin: Annotated[
        list[str] | None,
        typer.Option(
            "--detect-secrets-plugin",
            metavar="FILE",
            help="Run a plugin of detect-secrets as well: a file, whose code is run, or the name of a class. Slow. Repeatable.",
        ),
    ] = None,
) -> int:
    """Find credentials in folders, files, standard input, the staged change, a repository's history or this machine.

    Nothing is sent anywhere without --verify. Secrets are masked in every format.
    """
    from keyward.cli.scan_run import run

    return run(
        paths=paths,
        staged=staged,
        tracked=tracked,
        from_ref=from_ref,
        to_ref=to_ref,
        history=history,
        all_objects=all_objects,
        since=since,
        branch=branch,
        commits=commits,
        config_ref=config_ref,
        host=host,
        source=source,
        files_from=files_from,
        exclude=exclude,
        format=format,
        output=output,
        persona=persona,
        baseline=baseline,
        no_baseline=no_baseline,
        rules=rules,
        config=config,
        verify=verify,
        verify_databases=verify_databases,
        timeline=timeline,
        explain=explain,
        max_depth=max_depth,
        no_cache=no_cache,
        strict=strict,
        reveal=reveal,
        jobs=jobs,
        engine=engine,
        color=color,
        quiet=quiet,
        gitleaks_config=gitleaks_config,
        detect_secrets_plugin=detect_secrets_plugin,
    )
