"""The playbook as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from keyward.report.escape import log, markdown_code, url
from keyward.report.playbook import Playbook, ProviderPage, Turn, day


def render(playbook: Playbook) -> str:
    """The page."""
    return "\n".join(_lines(playbook)).rstrip("\n") + "\n"


def _text(text: str) -> str:
    """Running text: what would be markup, a link, HTML or a cell's end is escaped, and nothing else, so that the page can be read as it is."""
    inert = log(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("|", "&#124;")
    return "".join("\\" + char if char in "\\`*[]" else char for char in inert)


def _lines(playbook: Playbook) -> Iterator[str]:
    yield "# When keys have leaked"
    yield ""
    yield f"Made {day(playbook.made)} on {_text(playbook.host)} from {markdown_code(playbook.config or 'no configuration')}."
    late = " **A drill is due.**" if playbook.overdue else ""
    yield f"Last drill: {day(playbook.last_drill)}; next: {day(playbook.next_drill)}.{late}"
    yield from _section("It begins when", (f"- {_text(each)}" for each in playbook.triggers))
    yield from _section("Who", _people(playbook))
    yield from _section("The first hour", _tasks(playbook))
    yield from _section("The order of replacement", _turns(playbook.turns))
    yield from _section("By provider", (line for each in playbook.providers for line in _provider(each)))
    yield from _section("What is missing", (f"- {_text(each)}" for each in playbook.gaps))


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        yield from ("", f"## {title}", "", *found)


def _people(playbook: Playbook) -> Iterator[str]:
    for number, each in enumerate(playbook.people, 1):
        role = f", {_text(each.role)}" if each.role else ""
        reach = f": {_text(each.reach)}" if each.reach else ""
        yield f"{number}. **{_text(each.name)}**{role}{reach}"


def _tasks(playbook: Playbook) -> Iterator[str]:
    for number, each in enumerate(playbook.tasks, 1):
        yield f"{number}. {_text(each.what)}" + (f" {_text(each.why)}" if each.why else "")
        if each.command:
            yield f"   {markdown_code(each.command)}"


def _turns(turns: tuple[Turn, ...]) -> Iterator[str]:
    if not turns:
        return
    yield "| | credential | tier | stopped | replaced | used by |"
    yield "|---|---|---|---|---|---|"
    for number, each in enumerate(turns, 1):
        approvals = f" ({each.approvals} approvals)" if each.approvals else ""
        last = " (guards others: last)" if each.last else ""
        cells = (
            str(number),
            markdown_code(each.ref) + last,
            str(each.tier),
            _text(each.stop),
            _text(each.replace) + approvals,
            "<br>".join(markdown_code(name) for name in each.consumers) or "nobody is configured",
        )
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def _provider(page: ProviderPage) -> Iterator[str]:
    yield f"**{_text(page.title)}** ({', '.join(markdown_code(ref) for ref in page.refs)})"
    yield ""
    yield f"- By itself: {_text(page.automatic)}"
    if page.admin:
        yield f"- Admin credential: {', '.join(markdown_code(each) for each in page.admin)}"
    if page.rights:
        yield f"- It needs: {', '.join(markdown_code(right) for right in page.rights)}"
    if page.manual.steps:
        yield "- By hand:"
        yield from (f"  {number}. {_text(step)}" for number, step in enumerate(page.manual.steps, 1))
    if url(page.manual.url):
        yield f"- Where: <{url(page.manual.url)}>"
    for each in page.references[:2]:
        if url(each):
            yield f"- See: <{url(each)}>"
    yield ""
