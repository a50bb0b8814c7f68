"""`keyward rules`"""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="What keyward looks for.")

Files = Annotated[list[str] | None, typer.Option("--rules", metavar="TOML", help="With your own rules. Repeatable.")]


@app.command("list")
def list_rules(
    words: Annotated[list[str] | None, typer.Argument(help="Only rules whose id or title holds one of these.")] = None,
    rules: Files = None,
) -> int:
    """List the rules: id, severity, what it finds. For example: keyward rules list github aws"""
    from keyward.flows import rules as flow

    rows = flow.listing(flow.registry(rules or ()), words or ())
    wide = max((len(rule.id) for _, rule, _ in rows), default=0)
    for _, rule, kind in rows:
        check = " ✓" if rule.check is not None else "  "
        print(f"{rule.id:<{wide}}  {kind.severity:<8}{check}  {kind.title}")
    kinds = {kind.name for _, _, kind in rows}
    print(f"\n{len(rows)} rules, {len(kinds)} kinds, {len({pack.name for pack, _, _ in rows})} packs (✓: checked offline)")
    return 0


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="A pack (github), a rule or a kind (github/pat-classic).")], rules: Files = None
) -> None:
    """Show a detector's page: what the credential is, what it opens, how to replace it, and its rules."""
    from keyward.flows import rules as flow

    packs = flow.registry(rules or ())
    pack = flow.find_pack(packs, name)
    print(pack.page)
    for kind in pack.kinds:
        print(f"\n{kind.name}: {kind.title} ({kind.severity})")
        if kind.manual is not None:
            for number, step in enumerate(kind.manual.steps, 1):
                print(f"  {number}. {step}")
            print(f"  {kind.manual.url}")
        for rule in pack.rules:
            if rule.kind == kind.name:
                extras = [f"score {rule.score}", flow.LEVELS[rule.specificity]]
                extras += ["checked offline"] if rule.check is not None else []
                extras += [f"with {companion.part}" for companion in rule.companions]
                print(f"  rule {rule.id} ({', '.join(extras)})\n    {rule.pattern.decode('latin-1')}")


@app.command("check")
def check(
    files: Annotated[
        list[str] | None,
        typer.Argument(help="TOML files of your own rules, or of gitleaks and betterleaks; none: all built-in rules."),
    ] = None,
) -> int:
    """Run every example and near miss through both engines. Exit code 2 if a rule breaks its promise.

    For example: keyward rules check my-rules.toml. Of a file of gitleaks or betterleaks, everything that keyward does not do is named.
    """
    from keyward.flows import rules as flow
    from keyward.report.escape import terminal

    foreign = [path for path in files or () if flow.is_foreign(path)]
    files = [path for path in files or () if path not in foreign]
    failed = sum(_check_foreign(path) for path in foreign)
    if foreign and not files:
        return 2 if failed else 0
    checked = flow.check(flow.registry(files or ()), only="user" if files else "")
    for problem in checked.problems:
        print(f"{terminal(problem.where)}: {terminal(problem.message)}")
    print(f"{checked.packs} packs, {checked.rules} rules, {checked.samples} samples: {len(checked.problems)} problems")
    return 2 if checked.problems or failed else 0


def _check_foreign(path: str) -> int:
    """Says what comes of a file of another scanner; answers the number of problems."""
    from keyward.flows import rules as flow
    from keyward.report.escape import terminal

    checked = flow.check_foreign(path)
    for problem in checked.problems:
        print(f"{terminal(problem.where)}: {terminal(problem.message)}")
    for line in checked.untranslated:
        print(f"not translated: {terminal(line)}")
    print(
        f"{terminal(path)}: {checked.rules} rules ({checked.sampled} tried on texts made of their patterns), "
        f"{checked.allowlists} allowlists, {len(checked.untranslated)} things not translated, {len(checked.problems)} problems"
    )
    return len(checked.problems)


@app.command("export")
def export(format: Annotated[str, typer.Option("--format", help="json or toml.")] = "json", rules: Files = None) -> None:
    """Print the catalogue of rules as data. For example: keyward rules export --format toml > rules.toml"""
    import json
    import sys

    from keyward.errors import UsageError
    from keyward.flows import rules as flow

    if format not in ("json", "toml"):
        raise UsageError(f"--format {format!r} is neither json nor toml")
    data = flow.export(flow.registry(rules or ()))
    if format == "json":
        json.dump(data, sys.stdout, indent=1, ensure_ascii=False)
        print()
    else:
        sys.stdout.writelines(flow.as_toml(data))


@app.command("bench")
def bench(
    path: Annotated[str, typer.Argument(help="A folder of real files; many MB say more than few.")] = ".",
    rules: Files = None,
    gitleaks_config: Annotated[
        str, typer.Option("--gitleaks-config", metavar="FILE", help="With the rules of a file of gitleaks or betterleaks.")
    ] = "",
    pack: Annotated[
        list[str] | None, typer.Option("--pack", metavar="NAME", help="Only the rules of this pack (github). Repeatable.")
    ] = None,
    show: Annotated[str, typer.Option("--show", metavar="RULE", help="And where this rule found something, and why.")] = "",
    quick: Annotated[
        bool, typer.Option("--quick", help="Do not estimate each rule's part of the pass over all bytes.")
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="Every rule, not only the dearest 40 that hit anything.")] = False,
    format: Annotated[str, typer.Option("--format", "-f", help="text or json.")] = "text",
) -> int:
    """Measure what each rule costs on a folder, and how often it hits. Ctrl-C prints what was measured until then.

    For example: keyward rules bench ~/src --rules my-rules.toml. A rule is marked `slow` from 2% of the time, `noisy` from 100 findings or a
    million hits per GB. Foreign rules are measured without their keywords and paths.
    """
    import sys

    from keyward.cli.progress import ProgressLine
    from keyward.cli.rules_bench import as_json, places, table
    from keyward.errors import UsageError
    from keyward.flows import rules as flow
    from keyward.flows.rules_bench import bench as measure

    if format not in ("text", "json"):
        raise UsageError(f"--format {format!r} is neither text nor json")
    line = ProgressLine(enabled=None)
    measured = measure(
        path,
        flow.registry(rules or (), gitleaks_config=gitleaks_config, only=pack or ()),
        show=show,
        estimate=not quick,
        progress=lambda files, size: line(files, size, 0),
    )
    line.clear()
    if format == "json":
        print(as_json(measured))
    else:
        for text in (*places(measured), *table(measured, everything=everything)):
            print(text)
    sys.stdout.flush()
    return 130 if measured.interrupted else 0
