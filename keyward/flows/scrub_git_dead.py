"""Whether a secret that stands in a history is dead: only then it helps to rewrite it.

A rotation that ended with a proof knows, else the provider is asked; a connection string only at the servers of the operator's lanes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from keyward.errors import KeywardError
from keyward.flows.scrub_wanted import Setting
from keyward.model.finding import Finding, Outcome
from keyward.model.kind import CredentialKind, Kind
from keyward.model.verdict import Dead
from keyward.plugin.clock import SystemClock
from keyward.plugin.store import Slot
from keyward.rotate.ledger import State, standings
from keyward.scrub.known import KnownSecret
from keyward.scrub.plan import Name

PROVED = ("dead", "by consumer")
"""How a rotation ended if the old credential was seen to be refused."""


class Standing(NamedTuple):
    """One secret in the history. `places`: how many. `dead`: what proves it, empty if nothing does; then `doubt` says what is known."""

    name: Name
    places: int
    dead: str
    doubt: str = ""


def standings_of(outcome: Outcome, values: dict[str, list[KnownSecret]], setting: Setting, anyway: bool) -> list[Standing]:
    proved = _proved(setting)
    asked = outcome
    unsure = [
        each
        for each in outcome.findings
        if not is_lone_id(each, setting.registry.declared)
        and not any(name_of(one) in proved for one in values[each.fingerprint])
    ]
    if unsure and not anyway:
        from keyward.flows.verify import verified

        found = outcome._replace(findings=tuple(unsure))
        asked = verified(found, config=setting.config, own_databases=True, progress=lambda done, total: None)
    verdicts = {each.fingerprint: each.verdict for each in asked.findings}
    standing = []
    for finding in outcome.findings:
        known = values[finding.fingerprint]
        name = name_of(known[0]) if known else Name(finding.kind, "")
        verdict = verdicts.get(finding.fingerprint)
        if is_lone_id(finding, setting.registry.declared):
            standing.append(Standing(name, len(finding.occurrences), "it is a key id, and no secret"))
        elif name in proved:
            standing.append(Standing(name, len(finding.occurrences), f"rotation {proved[name]} proved it"))
        elif isinstance(verdict, Dead):
            standing.append(Standing(name, len(finding.occurrences), "its provider refuses it"))
        else:
            doubt = "nobody was asked" if verdict is None else type(verdict).__name__.lower()
            reason = getattr(verdict, "reason", "")
            standing.append(Standing(name, len(finding.occurrences), "", f"{doubt} ({reason})" if reason else doubt))
    return standing


def is_lone_id(finding: Finding, declared: Callable[[Kind], CredentialKind | None]) -> bool:
    """Whether nothing of a credential stands there but what is public of it: a key id whose secret is elsewhere, or gone."""
    kind = declared(finding.kind)
    return kind is not None and all(set(each.parts) <= set(kind.public) for each in finding.occurrences)


def name_of(secret: KnownSecret) -> Name:
    return Name(secret.kind, secret.pseudonym)


def _proved(setting: Setting) -> dict[Name, str]:
    """The replaced values of lanes whose last rotation ended with a proof, and that rotation."""
    from keyward.flows.workplace import open_workplace

    found: dict[Name, str] = {}
    try:
        with open_workplace(setting.config) as workplace:
            ended = {
                each.ref: each.rotation
                for each in standings(workplace.state, SystemClock())
                if each.state is State.DONE and each.proof in PROVED
            }
            for _, entry in workplace.operator.entries():
                if entry.ref not in ended:
                    continue
                kind = setting.registry.declared(entry.kind)
                slots = {slot: workplace.store(entry.store).read(entry.path, slot) for slot in (Slot.CURRENT, Slot.PREVIOUS)}
                in_use = slots[Slot.CURRENT]
                now = {secret.reveal() for secret in in_use.parts.values()} if in_use is not None else set()
                old = slots[Slot.PREVIOUS]
                for secret in old.parts.values() if old is not None else ():
                    if secret.reveal() not in now:
                        name = Name(entry.kind, setting.pseudonyms.of_value(kind, secret.reveal()))
                        found[name] = ended[entry.ref]
    except KeywardError:
        return found  # no lanes, or a store that does not answer: then providers are asked
    return found
