"""How a rotation ended, read from its journal: proved by the provider, proved by a consumer, or attested by a person."""

from __future__ import annotations

from collections.abc import Mapping

from keyward.model.rotation import CONFIRM, DISTRIBUTE, PROVE, Attested, Outcome, Proved, ProvedByConsumer, Withheld
from keyward.model.verdict import Evidence
from keyward.rotate.journal import SEEN, Journal
from keyward.rotate.ledger import owed

DEAD, BY_CONSUMER, ATTESTED = "dead", "by consumer", "attested"
"""What CONFIRM journals as its `outcome`: the provider refuses the old one; a consumer's own probe does; somebody says so."""


def ending(journal: Journal, ref: str, hosts: Mapping[str, str], *, provider_asked: bool) -> Outcome:
    """The outcome of a rotation that is done. `hosts`: where each consumer stands, by its name in the journal. `provider_asked`:
    whether the provider can be asked, which is what proves a first credential, that has no old one to be confirmed dead."""
    rotation = journal.rotation
    withheld = tuple(Withheld(name, hosts.get(name, "")) for name in owed(journal))
    confirmed = journal.last(CONFIRM, SEEN)
    facts = confirmed.ids if confirmed else {}
    how = facts.get("outcome") or (DEAD if provider_asked else ATTESTED)
    if how == DEAD:
        return Proved(rotation, ref, _evidence(journal), withheld)
    if how == BY_CONSUMER and facts.get("refused_by"):
        return ProvedByConsumer(rotation, ref, f"the old one is refused by {', '.join(facts['refused_by'])}", withheld)
    # a journal of an earlier version says `by consumer` of a mere read-back: that shows where the new one is, not that the old is dead
    detail = "no provider can be asked about this kind"
    if any(line.ids.get("verified") for line in journal.all(DISTRIBUTE, SEEN)):
        detail += "; its consumers were read back and have the new one"
    return Attested(rotation, ref, str(facts.get("by") or "the operator"), detail, withheld)


def _evidence(journal: Journal) -> tuple[Evidence, ...]:
    shown = (line.ids["evidence"] for step in (PROVE, CONFIRM) for line in journal.all(step, SEEN) if "evidence" in line.ids)
    return tuple(Evidence(**each) for each in shown)
