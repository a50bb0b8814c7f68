"""`keyward hook run`: what a commit hook calls. Nothing is imported here that a clean commit does not need."""

from __future__ import annotations

import os
import sys

from keyward.cli.exits import exit_code
from keyward.errors import UsageError
from keyward.flows.scan import ScanOptions, scan

_VALUED = ("--from-ref", "--to-ref", "--baseline", "--persona", "--config", "--rules")


def run(words: list[str]) -> int:
    """Scans the staged change; or, given file names, those files as staged where they are, else as they stand in the tree; or
    the range of --from-ref and --to-ref (or the variables that pre-commit sets)."""
    files: list[str] = []
    values: dict[str, str] = {}
    no_baseline = False
    while words:
        word = words.pop(0)
        name, equals, value = word.partition("=")
        if name in _VALUED and (equals or words):
            values[name] = value if equals else words.pop(0)
        elif word == "--no-baseline":
            no_baseline = True
        elif word == "--":
            files.extend(words)
            break
        elif word.startswith("-") and word != "-":
            raise UsageError(f"keyward hook run does not know {word!r}", hint="See: keyward hook run --help")
        else:
            files.append(word)
    options = ScanOptions(
        staged=not files,
        hook_files=tuple(files) if files else None,
        from_ref=values.get("--from-ref", ""),
        to_ref=values.get("--to-ref", ""),
        persona=values.get("--persona"),
        baseline="" if no_baseline else values.get("--baseline"),
        rule_files=tuple(filter(None, [values.get("--rules")])),
        operator_config=values.get("--config"),
    )
    from_ref = options.from_ref or os.environ.get("PRE_COMMIT_FROM_REF", "")
    to_ref = options.to_ref or os.environ.get("PRE_COMMIT_TO_REF", "")
    if from_ref and to_ref:
        options = options._replace(staged=False, hook_files=None, from_ref=from_ref, to_ref=to_ref)
    outcome = scan(options)
    code = exit_code(outcome, False)
    if code or outcome.allowed:
        from keyward.cli.output import use_color, width
        from keyward.cli.render import render_outcome

        sys.stdout.write(render_outcome("text", outcome, color=use_color(sys.stdout), width=width()))
    if code == 1:
        print("The commit is stopped. Remove the credential, or allow it; `git commit --no-verify` skips every check.")
    return code
