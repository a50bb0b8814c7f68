"""The pages of docs/providers, made from the rotator packs themselves, so that they cannot say anything else.

A page is the pack's docstring, what each rotator declares (`Capabilities`, `AdminNeed`, `manual`), and an entry to copy. Make them
anew after a change:

    python -m keyward.testing.provider_pages docs/providers
"""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType

from keyward.plugin.rotator import Origin, Overlap, Rotator
from keyward.registry import Registry, pack_files

INDEX = "index.md"
COMMAND = "python -m keyward.testing.provider_pages docs/providers"
PLAIN_NAMES = {"private-key/pem": "deploy", "private-key/pem-encrypted": "deploy"}
_MADE_BY = {"API": "the provider's API", "keyward": "keyward, which then applies it", "a person": "a person"}
_REFERENCES = re.compile(r"^References:\s*(.*)", re.DOTALL | re.MULTILINE)
_MANUAL = re.compile(r"(?:What is manual|By hand):\s+(.*?)(?=\n[A-Z][\w' ]{2,30}:|\n\n|\Z)", re.DOTALL)
_HEADING = re.compile(r"^([A-Z][\w']*(?: [\w']+){0,3}):(?= )")
_CODE = re.compile(r"(`[^`]*`)")


def pages() -> dict[str, str]:
    """Every page by its file name; `index.md` is the table of all."""
    registry = Registry()
    packs = {name: importlib.import_module(f"keyward.rotators.{name}") for name, _ in pack_files("keyward.rotators")}
    made = {f"{name}.md": page(name, module, registry) for name, module in packs.items()}
    return {**made, INDEX: index(packs)}


def write(folder: str) -> list[str]:
    """Writes the pages into a folder, and takes out those of packs that are gone; answers with the names that changed."""
    os.makedirs(folder, exist_ok=True)
    wanted = pages()
    changed = []
    for name in sorted({*wanted, *(each for each in os.listdir(folder) if each.endswith(".md"))}):
        path = os.path.join(folder, name)
        before = None
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                before = file.read()
        if name not in wanted:
            os.unlink(path)
        elif wanted[name] != before:
            with open(path, "w", encoding="utf-8", newline="\n") as file:
                file.write(wanted[name])
        else:
            continue
        changed.append(name)
    return changed


def page(name: str, module: ModuleType, registry: Registry) -> str:
    """One pack's page."""
    title, _, rest = (module.__doc__ or "").strip().partition("\n")
    text, references = _without_references(rest.strip())
    rotators: tuple[Rotator, ...] = module.ROTATORS
    blocks = [
        f"# {title.strip().rstrip('.')}",
        f"<!-- Made from rotators/{name}.py. Do not edit; run: {COMMAND} -->",
        *_prose(text.replace("`AdminNeed.policy`", "the policy below")),
        "## What keyward does",
    ]
    for rotator in rotators:
        if len(rotators) > 1:
            blocks.append(f"### {rotator.title}")
        blocks += [
            _capabilities(rotator, registry),
            *_calls(rotator),
            *_admin(rotator),
            *_manual(rotator),
            _entry(name, rotator),
        ]
    links = list(dict.fromkeys([*references, *(each for rotator in rotators for each in rotator.references)]))
    if links:
        blocks.append("## References\n\n" + "\n".join(f"- {each}" for each in links))
    blocks.append("[All providers](index.md) · [Lanes](../lanes.md) · [Rotation](../rotation.md)")
    return "\n\n".join(blocks) + "\n"


def index(packs: Mapping[str, ModuleType]) -> str:
    """The table of all kinds that a rotator knows."""
    rows = []
    manual = []
    for name, module in packs.items():
        for rotator in module.ROTATORS:
            rows.append(_row(name, rotator))
        found = _MANUAL.search(module.__doc__ or "")
        if found:
            title = (module.__doc__ or "").strip().partition("\n")[0].rstrip(".")
            manual.append(
                f"- [{title}]({name}.md): {_inline(' '.join(found[1].split())).replace('steps are below', 'steps are on its page')}"
            )
    return (
        "\n\n".join(
            (
                "# Providers",
                f"<!-- Made from the rotator packs. Do not edit; run: {COMMAND} -->",
                "What keyward can do for each kind of credential. A kind that is not here is replaced by a person: `keyward rotate` waits,"
                " says what to do and where, takes the new value (`keyward provide`), and does the rest. `keyward rules show` has the"
                " steps for every kind.",
                "| column | says |\n|---|---|\n"
                "| reissue | who makes the new one: the provider's API, keyward (and applies it), or a person |\n"
                "| old one | whether both live for a while, or the old one dies when the new one is made |\n"
                "| stop | whether the old one can be stopped at once so that it can be undone (quarantine) |\n"
                "| narrowed, ends | whether the new one can be given fewer rights, or an end |",
                "| provider | kinds | reissue | old one | stop | narrowed | ends |\n|---|---|---|---|---|---|---|\n"
                + "\n".join(rows),
                "Some of it depends on the entry's `scope`; the pages say how.",
                "## What stays manual",
                "\n".join(manual),
                "[Rotation](../rotation.md) · [Lanes](../lanes.md) · [Writing a rotator](../writing-a-rotator.md)",
            )
        )
        + "\n"
    )


def _row(name: str, rotator: Rotator) -> str:
    can = rotator.capabilities
    kinds = ", ".join(f"`{kind}`" for kind in rotator.kinds)
    cells = (
        f"[{rotator.title}]({name}.md)", kinds, _who_makes(rotator), _old_one(rotator),
        _yes(can.reversible_disable), _yes(can.scoped), _yes(can.expiry),
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _yes(what: bool) -> str:
    return "yes" if what else "no"


def _who_makes(rotator: Rotator) -> str:
    if rotator.manual is not None:
        return "a person"
    return "API" if rotator.origin is Origin.MINTED else "keyward"


def _old_one(rotator: Rotator) -> str:
    can = rotator.capabilities
    if can.overlap is Overlap.GRACE:
        return f"lives {can.grace:.0f} s more"
    return "lives until revoked" if can.overlap is Overlap.OWN else "dies at once"


def _capabilities(rotator: Rotator, registry: Registry) -> str:
    can = rotator.capabilities
    depends = type(rotator).capabilities_for is not Rotator.capabilities_for
    asked = any(registry.verifier(kind) for kind in rotator.kinds)
    rows = [
        ("kinds", ", ".join(f"`{kind}`" for kind in rotator.kinds)),
        ("the new one is made by", "keyward; it holds once its consumers have it" if can.applied_by_consumers
            else _MADE_BY[_who_makes(rotator)]),
        ("the old one", _old_one(rotator)),
        ("at most for one user", str(can.slots) if can.slots else "no limit that matters"),
        ("can be narrowed", _yes(can.scoped)),
        ("can be made to end", _yes(can.expiry)),
        ("can be stopped and started again", _yes(can.reversible_disable)),
        ("carries the rotation's id", _yes(can.marks)),
        ("can be listed", _yes(can.lists)),
        ("a new one works after", f"{can.settle:.0f} s at most"),
        ("an old one is refused after", f"{can.propagation:.0f} s at most"),
        ("changing calls a second", f"{can.rate:g}" if can.rate else "no documented limit"),
        ("live or dead is told by", "the provider" if asked else "nobody: such a rotation ends as attested, or by its consumers"),
        ("hosts", ", ".join(f"`{host}`" for host in rotator.public_hosts) or "only what `target` names"),
    ]  # fmt: skip
    lines = ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)]
    note = "\n\nSome of this depends on `scope`; the table shows the usual case." if depends else ""
    return "\n".join(lines) + note


def _calls(rotator: Rotator) -> Iterator[str]:
    if rotator.calls:
        rows = (f"| {step} | {', '.join(f'`{call}`' for call in calls)} |" for step, calls in rotator.calls.items() if calls)
        yield "| step | calls |\n|---|---|\n" + "\n".join(rows)


def _admin(rotator: Rotator) -> Iterator[str]:
    need = rotator.admin
    if not (need.parts or need.rights or need.policy):
        return
    parts = ", ".join(f"`{part}`" for part in need.parts) or "none is needed"
    rights = (
        f" It needs: {', '.join(f'`{right}`' if _is_name(right) else right for right in need.rights)}." if need.rights else ""
    )
    yield f"**Admin credential.** Parts: {parts}.{rights}"
    policy = need.policy.strip("\n")
    if "\n" in policy or _language(policy) != "text":
        yield f"```{_language(policy)}\n{policy}\n```"
    elif policy:
        yield f"{policy}."


def _is_name(right: str) -> bool:
    return " " not in right


def _language(policy: str) -> str:
    if policy.startswith("{"):
        return "json"
    if 'path "' in policy:
        return "hcl"
    return "sql" if policy.startswith(("CREATE", "GRANT")) else "text"


def _manual(rotator: Rotator) -> Iterator[str]:
    if rotator.manual is None:
        return
    steps = "\n".join(f"{number}. {_inline(step)}" for number, step in enumerate(rotator.manual.steps, 1))
    yield f"**What you do** ({rotator.manual.url}):\n\n{steps}"


def _entry(name: str, rotator: Rotator) -> str:
    """The least entry of a lane; what else it may have is in the settings above."""
    kind = str(rotator.kinds[0])
    short = PLAIN_NAMES.get(kind, kind.partition("/")[0])
    lines = ["[[lanes.shop.credentials]]", f'name = "{short}"', f'kind = "{kind}"']
    if rotator.admin.parts:
        parts = ", ".join(f'{part} = "env:{name.upper()}_ADMIN_{part.upper()}"' for part in rotator.admin.parts)
        lines.append(f"admin = {{ {parts} }}")
    return "```toml\n" + "\n".join(lines) + "\n```"


# the docstring, as Markdown


def _without_references(text: str) -> tuple[str, list[str]]:
    found = _REFERENCES.search(text)
    if found is None:
        return text, []
    return text[: found.start()].strip(), [each.strip() for each in re.split(r"\s{2,}|\n", found[1]) if each.strip()]


def _prose(text: str) -> Iterator[str]:
    """Paragraphs and tables. A line at the margin begins a paragraph; deeper ones go on with it."""
    for block in re.split(r"\n[ \t]*\n", text):
        lines = block.split("\n")
        if lines[0].startswith("|"):
            yield "## Settings\n\n" + block
        elif re.match(r"Settings?\s+\|", lines[0]):
            yield "## Settings\n\n" + _piped(lines)
        elif lines[0].strip() == "Settings:":
            yield "## Settings\n\n" + _columns(lines[1:])
        else:
            yield from (_paragraph(each) for each in _joined(lines))


def _joined(lines: Iterable[str]) -> Iterator[str]:
    """Lines put together; one at the margin that begins with a heading (`Traps: …`) begins a new one."""
    held = ""
    for line in lines:
        if held and _HEADING.match(line):
            yield held
            held = line.strip()
        else:
            held = f"{held} {line.strip()}".strip()
    if held:
        yield held


def _paragraph(text: str) -> str:
    text = _inline(text)
    text = _HEADING.sub(r"**\1:**", text)
    return re.sub(r"(?<=\. )(By hand):", r"**\1:**", text)


def _piped(lines: list[str]) -> str:
    """A table whose columns are parted by `|`; a row without a first cell goes on with the one before."""
    rows: list[list[str]] = []
    for line in lines:
        cells = [cell.strip() for cell in line.split("|", 2)]
        if cells[0] or not rows:
            rows.append(cells)
        else:
            rows[-1][-1] += " " + cells[-1]
    head = [cell or "meaning" for cell in (rows[0][0].lower().rstrip("s"), *rows[0][1:])]
    shown = [[f"`{row[0]}`", *(_inline(cell).replace("|", "\\|") for cell in row[1:])] for row in rows[1:]]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *shown))


def _columns(lines: list[str]) -> str:
    """A table of two columns, parted by two spaces or more; a deeper line goes on with the one before."""
    rows: list[list[str]] = []
    for line in lines:
        found = re.match(r"  (\S.*?) {2,}(\S.*)", line)
        if found:
            rows.append([found[1], found[2]])
        elif rows:
            rows[-1][1] += " " + line.strip()
    body = [f"| {_names(row[0])} | {_inline(row[1])} |".replace("\\|", "|") for row in rows]
    return "\n".join(("| setting | meaning |", "|---|---|", *body))


def _names(text: str) -> str:
    """`target.host, .port` as names of settings."""
    return ", ".join(f"`{name}`" for name in text.split(", "))


def _inline(text: str) -> str:
    """Text of a docstring, with what Markdown would take for something else made harmless."""
    if text.count("`") % 2:
        before, _, after = text.rpartition("`")
        text = f"{before}\\`{after}"
        pieces = _CODE.split(before)
        return "".join(p if p.startswith("`") else p.replace("<", "&lt;") for p in pieces) + "\\`" + after
    return "".join(piece if piece.startswith("`") else piece.replace("<", "&lt;") for piece in _CODE.split(text))


if __name__ == "__main__":
    for changed in write(sys.argv[1] if len(sys.argv) > 1 else os.path.join("docs", "providers")):
        print(changed)
