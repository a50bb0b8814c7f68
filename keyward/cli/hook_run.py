"""`keyward hook run`: what a commit hook calls. Nothing is imported here that a clean commit does not need."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from keyward.cli.exits import exit_code
from keyward.errors import UsageError
from keyward.flows.scan import ScanOptions, scan

_VALUED = ("--from-ref", "--to-ref", "--baseline", "--persona", "--config", "--rules")


def run(words: list[str]) -> int:
    """Scans the staged change; or, given file names, those files as staged where they are, else as they stand in the tree; or
    the range of --from-ref and --to-ref (or the variables that pre-commit sets)."""
    rest = words[words.index("--") + 1 :] if "--" in words else []
    words = words[: words.index("--")] if "--" in words else words
    files: list[str] = []
    values: dict[str, str] = {}
    no_baseline = False
    while words:
        word = words.pop(0)
        if word.startswith("-") and word != "-" and os.path.lexists(word):
            # Names come from the scanned repository: one that holds a file `--config=x` must not configure its own scan.
            hint = "Put -- before the file names; in pre-commit, at the end of args."
            raise UsageError(f"{word!r} is an option and a file", hint=hint)
        name, equals, value = word.partition("=")
        if name in _VALUED and (equals or words):
            values[name] = value if equals else words.pop(0)
        elif word == "--no-baseline":
            no_baseline = True
        elif word.startswith("-") and word != "-":
            raise UsageError(f"keyward hook run does not know {word!r}", hint="See: keyward hook run --help")
        else:
            files.append(word)
    files.extend(rest)
    from_ref = values.get("--from-ref", os.environ.get("PRE_COMMIT_FROM_REF", ""))
    to_ref = values.get("--to-ref", os.environ.get("PRE_COMMIT_TO_REF", ""))
    between = bool(from_ref or to_ref)
    options = ScanOptions(
        staged=not files and not between,
        hook_files=tuple(files) if files and not between else None,
        from_ref=from_ref,
        to_ref=to_ref,
        persona=values.get("--persona"),
        baseline="" if no_baseline else values.get("--baseline"),
        rule_files=tuple(filter(None, [values.get("--rules")])),
        operator_config=values.get("--config"),
    )
    compiling = _Compiling()
    try:
        outcome = scan(options, on_compile=compiling)
    finally:
        compiling.done()
    code = exit_code(outcome, False)
    if code or outcome.allowed or outcome.excluded:
        from keyward.cli.output import use_color, width
        from keyward.cli.render import render_outcome

        sys.stdout.write(render_outcome("text", outcome, color=use_color(sys.stdout), width=width()))
    if code == 1:
        print("The commit is stopped. Remove the credential, or allow it; `git commit --no-verify` skips every check.")
    return code


class _Compiling:
    """Says so where the rules must be compiled first; usually they come from the cache, and nothing is imported."""

    done: Callable[[], None] = staticmethod(lambda: None)

    def __call__(self, rules: int) -> None:
        from keyward.cli.progress import CompileMessage

        message = CompileMessage()
        self.done = message.done
        message(rules)
