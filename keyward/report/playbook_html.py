"""The playbook as one HTML page that needs nothing else, and that prints on one or two sheets. No script; nothing is fetched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from keyward.report.escape import url, xml
from keyward.report.playbook import Playbook, ProviderPage, Turn, day

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"

STYLE = """
:root{color-scheme:light dark;--paper:#fff;--ink:#1c232e;--quiet:#566070;--line:#d5d3cc;--link:#1b4f85;--bad:#a12a20;--raised:#f5f3ee}
@media screen and (prefers-color-scheme:dark){:root{--paper:#14171c;--ink:#e8e5dd;--quiet:#a8afba;--line:#39404a;--link:#93bce6;--bad:#f28f84;
--raised:#1d2127}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif}
.page{max-width:60rem;margin:0 auto;padding:1.5rem 1.25rem 3rem}
h1{font-size:1.8rem;margin:.2rem 0 .3rem}h2{font-size:1.15rem;margin:1.5rem 0 .4rem;border-bottom:2px solid var(--ink);padding-bottom:.15rem}
h3{font-size:.95rem;margin:.9rem 0 .2rem}
p{margin:.3rem 0}ol,ul{margin:.3rem 0;padding-left:1.5rem}li{margin:.15rem 0}
a{color:var(--link);overflow-wrap:anywhere}:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.skip{position:absolute;left:-200vw;background:var(--ink);color:var(--paper);padding:.5rem 1rem}.skip:focus{left:.5rem;top:.5rem}
code{font:.87em/1.4 ui-monospace,Menlo,Consolas,monospace;overflow-wrap:anywhere;background:var(--raised);padding:.05em .3em}
.do{display:block;margin:.15rem 0 .4rem;padding:.35rem .6rem;border-left:3px solid var(--ink)}
.quiet{color:var(--quiet)}.bad{color:var(--bad);font-weight:600}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;min-width:40rem;font-size:.87rem}
th,td{text-align:left;vertical-align:top;padding:.3rem .5rem;border-top:1px solid var(--line)}thead th{border-top:0;color:var(--quiet)}
.columns{columns:2 22rem;column-gap:2rem}.columns section{break-inside:avoid;font-size:.87rem}
.x{unicode-bidi:isolate;overflow-wrap:anywhere}
@media print{@page{size:A4;margin:11mm 12mm}body{font-size:8.5pt;line-height:1.32}.page{max-width:none;padding:0}h1{font-size:15pt}
h2{font-size:11pt;margin:3mm 0 1mm;break-after:avoid}tr,li{break-inside:avoid}.scroll{overflow:visible}table{min-width:0;font-size:7.5pt}
.columns section{font-size:7.5pt}.skip{display:none}a{color:inherit}thead{display:table-header-group}th,td{padding:.7mm 1mm}}
"""


def render(playbook: Playbook) -> str:
    """The page."""
    late = ' <strong class="bad">A drill is due.</strong>' if playbook.overdue else ""
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">',
        f"<title>When keys have leaked</title><style>{STYLE}</style></head><body>",
        '<a class="skip" href="#first">To the first hour</a><main class="page">',
        "<h1>When keys have leaked</h1>",
        f'<p class="quiet">Made {day(playbook.made)} on {_text(playbook.host)} from '
        f"{_code(playbook.config or 'no configuration')}. Last drill: {day(playbook.last_drill)}; "
        f"next: {day(playbook.next_drill)}.{late}</p>",
        *_list("It begins when", "ul", (_text(each) for each in playbook.triggers)),
        *_list("Who", "ol", _people(playbook)),
        *_list("The first hour", "ol", _tasks(playbook), id="first"),
        *_turns(playbook.turns),
        *_providers(playbook.providers),
        *_list("What is missing", "ul", (_text(each) for each in playbook.gaps)),
        "</main></body></html>",
    ]
    return "\n".join(parts) + "\n"


def _text(text: str) -> str:
    return f'<span class="x">{xml(text)}</span>'


def _code(text: str) -> str:
    return f"<code>{xml(text)}</code>"


def _list(title: str, tag: str, items: Iterable[str], *, id: str = "") -> Iterator[str]:
    found = list(items)
    if found:
        at = f' id="{id}"' if id else ""
        yield f"<h2{at}>{xml(title)}</h2><{tag}>"
        yield from (f"<li>{item}</li>" for item in found)
        yield f"</{tag}>"


def _people(playbook: Playbook) -> Iterator[str]:
    for each in playbook.people:
        role = f", {_text(each.role)}" if each.role else ""
        reach = f": {_text(each.reach)}" if each.reach else ""
        yield f"<strong>{_text(each.name)}</strong>{role}{reach}"


def _tasks(playbook: Playbook) -> Iterator[str]:
    for each in playbook.tasks:
        why = f' <span class="quiet">{xml(each.why)}</span>' if each.why else ""
        command = f'<code class="do">{xml(each.command)}</code>' if each.command else ""
        yield f"{_text(each.what)}{why}{command}"


def _turns(turns: tuple[Turn, ...]) -> Iterator[str]:
    if not turns:
        return
    yield '<h2>The order of replacement</h2><div class="scroll" role="region" aria-label="The order of replacement" tabindex="0"><table>'
    heads = ("", "Credential", "Tier", "Stopped", "Replaced", "Used by")
    yield "<thead><tr>" + "".join(f'<th scope="col">{head}</th>' for head in heads) + "</tr></thead><tbody>"
    for number, each in enumerate(turns, 1):
        notes = [f"{each.approvals} approvals"] if each.approvals else []
        notes += ["guards others: last"] if each.last else []
        note = f' <span class="quiet">({"; ".join(notes)})</span>' if notes else ""
        used = ", ".join(_code(name) for name in each.consumers) or '<span class="bad">nobody is configured</span>'
        cells = (str(number), _code(each.ref) + note, str(each.tier), _text(each.stop), _text(each.replace), used)
        yield "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
    yield "</tbody></table></div>"


def _providers(pages: tuple[ProviderPage, ...]) -> Iterator[str]:
    if not pages:
        return
    yield '<h2>By provider</h2><div class="columns">'
    for page in pages:
        yield f"<section><h3>{_text(page.title)}</h3><p>{', '.join(_code(ref) for ref in page.refs)}</p><ul>"
        yield f"<li>By itself: {_text(page.automatic)}</li>"
        if page.admin:
            yield f"<li>Admin credential: {', '.join(_code(each) for each in page.admin)}</li>"
        if page.rights:
            yield f"<li>It needs: {', '.join(_code(right) for right in page.rights)}</li>"
        if page.manual.steps:
            steps = "".join(f"<li>{_text(step)}</li>" for step in page.manual.steps)
            yield f"<li>By hand:<ol>{steps}</ol></li>"
        for each in filter(None, (url(page.manual.url), *(url(one) for one in page.references[:2]))):
            yield f'<li><a href="{xml(each)}" rel="noreferrer">{xml(each)}</a></li>'
        yield "</ul></section>"
    yield "</div>"
