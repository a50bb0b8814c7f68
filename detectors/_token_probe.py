"""Ways of asking that a single `Question` cannot tell: servers of one's own, refusals in plain text, and a vendor's many sites.

A refusal proves death only at the site that issued the credential: of a product that people run themselves, the public site's
"I do not know it" says nothing until somebody says that the credential is the public site's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from keyward.plugin.verifier import Case, Dead, Live, Restricted, Unknown, Verdict, evidence

from ._vendor_answers import joined, judge, put_everywhere

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keyward.model.credential import Credential, Target
    from keyward.model.kind import Kind
    from keyward.plugin.ports import Ports
    from keyward.plugin.verifier import Verify

    from ._vendor_answers import Question


def setting(provider: str) -> str:
    """What the operator has to configure so that a server of one's own is asked."""
    return f"set base_url of [providers.{provider}] in the operator's configuration"


def own_server(provider: str, verify: Verify) -> Verify:
    """For a product that has no public site: nobody is asked unless `target.base_url` names the server."""

    def only_there(credential: Credential, target: Target, ports: Ports) -> Verdict:
        """Asks the server that the operator names."""
        if not target.base_url:
            return Unknown(f"nothing says whose server issued it: {setting(provider)}")
        return verify(credential, target, ports)

    return only_there


def public_or_own(provider: str, sites: Sequence[str], verify: Verify) -> Verify:
    """For a product with a public site that people also run themselves. A good answer counts; a refusal of the public site only
    where the credential's part `host` says that it is from there. That part never sends anything anywhere: it is compared."""

    def ask(credential: Credential, target: Target, ports: Ports) -> Verdict:
        """Asks, and believes a refusal only of the issuer."""
        verdict = verify(credential, target, ports)
        if isinstance(verdict, Dead) and not target.base_url and credential.text("host").lower() not in sites:
            return Unknown(f"{verdict.evidence.host} does not know it, and it may be of another server: {setting(provider)}")
        return verdict

    return ask


def at(sites: Sequence[str], question: Question) -> tuple[Question, ...]:
    """One question for each of a vendor's sites, whose host names are given; for `put_everywhere`."""
    return tuple(question._replace(base=f"https://{site}") for site in sites)


def put_where(questions: Sequence[Question], site: str, credential: Credential, target: Target, ports: Ports) -> Verdict:
    """Puts the question to the site with this host name, where it is one of the vendor's, and else to all of them."""
    known = [each for each in questions if each.base == f"https://{site}"]
    return put_everywhere(known or questions, credential, target, ports)


def put_plain(question: Question, words: str, credential: Credential, target: Target, ports: Ports) -> Verdict:
    """Asks a vendor that refuses in plain text: status 401 and nothing but `words` is Dead. All else as `judge` says."""
    base, path = joined(target.base_url or question.base, question.path)
    sent = {"user-agent": "keyward", "accept": "application/json", **question.also, **question.headers(credential)}
    http = ports.http(base, sent)
    reply = http.request(question.method, path, json=question.json, changes=False)
    seen = evidence(f"{question.method} {question.path}", http, reply, ports)
    if reply.status == 401 and reply.body.strip().decode(errors="replace") == words:
        return Dead(seen)
    return judge(question, reply, seen, credential)


def first_known(verdicts: Sequence[Verdict]) -> Verdict:
    """Of several answers the one that counts: Live or Restricted, else an Unknown, else Dead."""
    for wanted in ((Live, Restricted), (Unknown,)):
        for each in verdicts:
            if isinstance(each, wanted):
                return each
    return verdicts[-1]


def for_all(kinds: Sequence[Kind], made: Sequence[Case]) -> tuple[Case, ...]:
    """The same recorded answers for each of several kinds that are asked alike."""
    return tuple(case._replace(kind=kind) for kind in kinds for case in made)
