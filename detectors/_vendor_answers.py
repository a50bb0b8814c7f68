"""What a vendor's answer says of a credential. Most vendors are asked in one way: one reading request with the credential in a
header, and an answer in JSON. A `Question` describes that, and `put` asks it; `cases` are the recorded answers that it needs.

An answer counts only in the vendor's own words: a status alone may come from a proxy, a portal or a gate before the vendor. So
`Live` needs a member that only a good answer has, `Dead` and `Restricted` need words of the vendor's JSON. Anything else is
`Unknown`. Nothing of an answer is shown but a code of known form, and names that the vendor gives (account, scopes, expiry).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Union

from keyward.plugin.verifier import Answer, Case, Dead, Live, Restricted, Unknown, Verdict, evidence

if TYPE_CHECKING:
    from keyward.model.credential import Credential, Target
    from keyward.model.kind import Kind
    from keyward.model.verdict import Evidence
    from keyward.plugin.ports import Ports, Reply

_CODE = re.compile(r"[a-z0-9_]{2,60}")
_SHOWN = re.compile(r"[\w .,:;@/+()*#|=-]{1,100}")
LONGEST = 100
"""Characters of a name that a vendor gives, at most."""

FORBIDDEN = "the key is valid, and is refused for what was asked"
NO_MONEY = "the key is valid, and the account has no money left"


def error_of(reply: Reply) -> tuple[str, str]:
    """(code, message) of `{"error": {"code" or "type", "message"}}`; empty for an answer of another form. The message may
    quote the credential: it may be looked at, never shown."""
    error = member(_json(reply), "error")
    if not isinstance(error, Mapping):
        return "", ""
    code = next((str(error[name]) for name in ("code", "type") if isinstance(error.get(name), (str, int))), "")
    return (code if _CODE.fullmatch(code) else ""), str(error.get("message") or "")


# ---- asking


class Said(NamedTuple):
    """An answer that means something: this status, in JSON, and (if any are given) one of these words in it.

    `words`: in lower case, looked for in the answer's JSON in lower case and without spaces between members, so that
    `"error":"invalid_auth"` names the member as well. `why`: for Restricted, in our words.
    """

    status: int
    words: tuple[str, ...]
    why: str = FORBIDDEN


Headers = Callable[["Credential"], Mapping[str, str]]


class Question(NamedTuple):
    """One request, and which answers mean what.

    `base`: `https://host`, where the operator names no other; `path`: from the root, with its query after a `?`. `headers`: how
    the credential is sent. `live`: dotted names of the members of which a good answer has at least one (a list counts when it
    is empty, `None` and `False` do not); `""` is the answer itself, which must then be a list. `dead`, `restricted`: see
    `Said`; looked at before `live`, whatever the status. `who`: dotted names whose values tell the account; `scopes`: one
    that lists what the credential may do (or a header, written `header:NAME`); `until`, `used`: expiry and last use.
    `form`, `json`: for a POST that changes nothing. `also`: further headers (a version, an agent). `puzzling`: answers that have
    two meanings, with the reason that is told. `known`: refusals of something else, which the vendor says only to a credential
    that it knows (`invalid_grant` for a code that is none). `needs`: parts without which it cannot be asked. `secret_path`: where the vendor wants the credential in the path; it is then sent
    over TLS only, and `path` is what may be shown of it.
    """

    base: str
    path: str
    headers: Headers
    live: tuple[str, ...]
    dead: tuple[Said, ...]
    restricted: tuple[Said, ...] = ()
    who: tuple[str, ...] = ()
    scopes: str = ""
    until: str = ""
    used: str = ""
    method: str = "GET"
    form: Callable[[Credential], Mapping[str, str]] | None = None
    json: object = None
    also: Mapping[str, str] = {}
    puzzling: tuple[Said, ...] = ()
    known: tuple[Said, ...] = ()
    needs: tuple[str, ...] = ()
    secret_path: Callable[[Credential], str] | None = None


Verify = Callable[["Credential", "Target", "Ports"], Verdict]


Asked = Union[Question, Sequence[Question], Verify]
"""How a kind is asked about: one question, one for each site of the vendor, or a function."""


def asks(questions: Mapping[Kind, Asked]) -> Verify:
    """The `verify` of a detector. Several questions for a kind: sites of one vendor that do not know each other's keys. A function
    for a kind that is asked in another way."""

    def verify(credential: Credential, target: Target, ports: Ports) -> Verdict:
        """Puts the kind's question."""
        question = questions[credential.kind]
        if isinstance(question, Question):
            return put(question, credential, target, ports)
        if callable(question):
            return question(credential, target, ports)
        return put_everywhere(question, credential, target, ports)

    return verify


def nothing(credential: Credential) -> Mapping[str, str]:
    """No header: the credential is in the form or in the path."""
    return {}


def bearer(credential: Credential) -> Mapping[str, str]:
    """`Authorization: Bearer SECRET`"""
    return {"authorization": f"Bearer {credential.text('secret')}"}


def in_header(name: str, before: str = "", part: str = "secret") -> Headers:
    """`NAME: SECRET`, with a word before it (`Token `, `Bot `)."""
    return lambda credential: {name: before + credential.text(part)}


def basic(user: str = "", user_part: str = "", part: str = "secret") -> Headers:
    """HTTP Basic. `user`: a fixed name; `user_part`: the part that holds it."""

    def headers(credential: Credential) -> Mapping[str, str]:
        from base64 import b64encode

        name = credential.text(user_part) if user_part else user
        return {"authorization": "Basic " + b64encode(f"{name}:{credential.text(part)}".encode()).decode()}

    return headers


def secret_first(credential: Credential) -> Mapping[str, str]:
    """HTTP Basic with the secret as the user name and no password."""
    from base64 import b64encode

    return {"authorization": "Basic " + b64encode(f"{credential.text('secret')}:".encode()).decode()}


def put(question: Question, credential: Credential, target: Target, ports: Ports) -> Verdict:
    """Asks, and says what the answer means. `target.base_url`: another host, with or without the path's beginning."""
    from urllib.parse import parse_qsl, urlencode

    missing = [part for part in question.needs if part not in credential.parts]
    if missing:
        return Unknown(f"it cannot be asked about without its {' and '.join(missing)}, which does not stand beside it")
    base, path = joined(target.base_url or question.base, question.path)
    shown_path, _, query = question.path.partition("?")
    path = path.partition("?")[0]
    if question.secret_path is not None:
        if not base.startswith("https://"):
            return Unknown("the credential stands in the request's path, so it is sent over TLS only: use an https base_url")
        path = path.removesuffix(shown_path) + question.secret_path(credential)
    sent = {"user-agent": "keyward", "accept": "application/json", **question.also, **question.headers(credential)}
    http, body = ports.http(base, sent), None
    if question.form is not None:
        body = urlencode(question.form(credential)).encode()
        sent = {"content-type": "application/x-www-form-urlencoded"}
    reply = http.request(
        question.method,
        path,
        headers=sent if question.form is not None else None,
        query=dict(parse_qsl(query)) or None,
        json=question.json,
        body=body,
        changes=False,
        name=shown_path,
    )
    return judge(question, reply, evidence(f"{question.method} {shown_path}", http, reply, ports), credential)


def put_everywhere(questions: Sequence[Question], credential: Credential, target: Target, ports: Ports) -> Verdict:
    """For a vendor whose sites do not know each other's keys: the first that knows it; Dead only if all of them refuse it. With
    `target.base_url` that one site is asked, and its refusal is enough."""
    from keyward.errors import ProviderError

    answers: list[Verdict] = []
    for question in questions[:1] if target.base_url else questions:
        try:
            verdict = put(question, credential, target, ports)
        except ProviderError as error:
            verdict = Unknown(str(error), getattr(error, "retry_after", None))
        if isinstance(verdict, (Live, Restricted)):
            return verdict
        answers.append(verdict)
    return next((each for each in answers if isinstance(each, Unknown)), answers[-1])


def judge(question: Question, reply: Reply, seen: Evidence, credential: Credential) -> Verdict:
    """What an answer means."""
    answer = _json(reply)
    said = "" if answer is None else _compact(answer)
    seen = seen._replace(status=f"{reply.status} {error_of(reply)[0]}".rstrip())
    if said and any(_is(reply, said, each) for each in question.dead):
        return Dead(seen)
    for each in question.restricted:
        if said and _is(reply, said, each):
            return Restricted(seen, each.why)
    if said and any(_is(reply, said, each) for each in question.known):
        return Live(seen)
    for each in question.puzzling:
        if said and _is(reply, said, each):
            return Unknown(each.why, reply.retry_after)
    if reply.status == 200 and any(_holds(answer, name) for name in question.live):
        hidden = [value.reveal().decode(errors="replace") for value in credential.parts.values() if len(value) > 7]
        return Live(seen, _account(question, answer, hidden), scopes_of(question.scopes, answer, reply, hidden))
    return Unknown(_puzzle(seen, reply), reply.retry_after)


def _puzzle(seen: Evidence, reply: Reply) -> str:
    if 300 <= reply.status < 400:
        return f"{seen.host} answered {reply.status} and points elsewhere, where nobody is asked"
    form = "" if _json(reply) is not None else ", and nothing in JSON"
    return f"{seen.host} answered {seen.status}{form}, which says nothing of the credential"


def joined(base_url: str, path: str) -> tuple[str, str]:
    """(`https://host[/prefix]`, path): an operator may write the base with or without the beginning of the path."""
    scheme, mark, rest = base_url.rstrip("/").partition("://")
    host, slash, prefix = rest.partition("/")
    steps = prefix.split("/") if slash else []
    for count in range(len(steps), 0, -1):
        if path.startswith("/" + "/".join(steps[-count:]) + "/"):
            return "/".join([scheme + mark + host, *steps[:-count]]), path
    return base_url.rstrip("/"), path


# ---- reading an answer


def member(answer: Any, name: str) -> Any:
    """The value under a dotted name, None if it is not there. A number steps into a list."""
    for step in name.split(".") if name else ():
        if isinstance(answer, Mapping):
            answer = answer.get(step)
        elif isinstance(answer, list) and step.isdigit() and int(step) < len(answer):
            answer = answer[int(step)]
        else:
            return None
    return answer


def shown(value: object, hidden: Iterable[str] = ()) -> str:
    """A name that a vendor gives, if it may be shown: short, of plain characters, and without any of the hidden values."""
    text = str(value).strip()[:LONGEST] if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""
    return text if _SHOWN.fullmatch(text) and not any(each in text for each in hidden) else ""


def scopes_of(name: str, answer: Any, reply: Reply, hidden: Iterable[str] = ()) -> tuple[str, ...]:
    """The scopes under a name, or in a header."""
    hidden = list(hidden)
    if name.startswith("header:"):
        found: object = reply.headers.get(name[7:], "").replace(",", " ").split()
    else:
        found = member(answer, name) if name else None
        found = found.replace(",", " ").split() if isinstance(found, str) else found
    return tuple(text for each in found[:100] if (text := shown(each, hidden))) if isinstance(found, list) else ()


def _account(question: Question, answer: Any, hidden: list[str]) -> str:
    told = [text for name in question.who if (text := shown(member(answer, name), hidden))]
    for word, name in (("until", question.until), ("last used", question.used)):
        if name and (text := shown(member(answer, name), hidden)):
            told.append(f"{word} {text}")
    return ", ".join(told)[: 2 * LONGEST]


def _json(reply: Reply) -> Any:
    """The answer's value; None for one that is not JSON, or says nothing."""
    import json

    try:
        return json.loads(reply.body)
    except (ValueError, RecursionError):
        return None


def _compact(answer: Any) -> str:
    import json

    return json.dumps(answer, separators=(",", ":"), ensure_ascii=False).lower()


def _is(reply: Reply, text: str, said: Said) -> bool:
    return reply.status == said.status and text[:1] in "{[" and any(word in text for word in said.words)


def _holds(answer: Any, name: str) -> bool:
    if not name:
        return isinstance(answer, list)
    if isinstance(answer, Mapping) and answer.get("error"):
        return False
    found = member(answer, name)
    return found is not None and found is not False and found != ""


# ---- recorded answers

_HTML = "<html><body>Sign in</body></html>"


def cases(
    kind: Kind,
    live: str,
    dead: Answer,
    *more: Case,
    restricted: Answer | None = None,
    headers: Mapping[str, str] = {},
    parts: Mapping[str, str] = {},
) -> tuple[Case, ...]:
    """The answers that every kind needs: a good one (its JSON), the vendor's refusal, and those of others, which mean nothing."""
    made = [
        Case("a good answer", kind, (Answer(200, live, headers),), "live", parts),
        Case("refused", kind, (dead,), "dead", parts),
        Case("a portal", kind, (Answer(dead.status, _HTML),), "unknown", parts),
        Case("another gate", kind, (Answer(403, _HTML),), "unknown", parts),
        Case("a proxy", kind, (Answer(dead.status, '{"message":"sign in to the proxy"}'),), "unknown", parts),
        Case("an answer of somebody else", kind, (Answer(200, "{}"),), "unknown", parts),
    ]
    if restricted is not None:
        made.append(Case("not allowed", kind, (restricted,), "restricted", parts))
    return (*made, *more)
