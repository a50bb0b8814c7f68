"""What is asked before an old credential dies, and after: whether the new one lives, and whether the old one is dead.

The rotator is never asked. It is the kind's verifier that is, or, where no provider can be, the consumers' own probes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from keyward.errors import Halted
from keyward.model.credential import SecretParts
from keyward.model.rotation import CONFIRM, PROVE, REVOKE, Outcome, WaitingHuman
from keyward.model.verdict import Dead, Evidence, Live, Verdict
from keyward.plugin.consumer import Values
from keyward.rotate.asking import Asking, said
from keyward.rotate.by_hand import UNKNOWN
from keyward.rotate.consumers.probe import Probing, ask_about_old
from keyward.rotate.ending import ATTESTED, BY_CONSUMER, DEAD
from keyward.rotate.journal import SEEN, Journal
from keyward.rotate.ledger import owed
from keyward.rotate.parties import Parties

BY_HAND = "by hand"
"""What REVOKE journals as its `outcome` where only a person can kill the old one."""


class Proving(NamedTuple):
    """The questions of one rotation. What takes a value takes a function that reads it: it is not read where nobody asks."""

    parties: Parties
    journal: Journal
    asks: Asking

    def prove(self, new: Callable[[], SecretParts]) -> None:
        """Journals that the new one lives. Raises Halted where it does not."""
        if self.journal.last(PROVE, SEEN) is not None:
            return
        if self.parties.verify is None:
            self.journal.seen(PROVE, outcome="nobody to ask")
            return
        verdict = self.asks.poll(new(), Live)
        if not isinstance(verdict, Live):
            rotation = self.journal.rotation
            hint = f"Run: keyward resume {rotation}, or keyward abort {rotation}."
            raise Halted(f"{self.parties.entry.ref}: the new one does not work: {said(verdict)}", hint=hint)
        self.journal.seen(PROVE, outcome="live", evidence=_shown(verdict.evidence), principal=verdict.principal)

    def still_lives(self, new: SecretParts) -> None:
        """The last look before the old one dies. Raises Halted."""
        if self.parties.verify is None:
            return
        verdict = self.asks.poll(new, Live)
        if not isinstance(verdict, Live):
            reason = f"{self.parties.entry.ref}: the new one no longer works: {said(verdict)}"
            raise Halted(reason, hint="The old one was not revoked.")

    def confirm(self, old: Callable[[], SecretParts], values: Callable[[], Values], attested_by: str) -> Outcome | None:
        """Journals that the old one is dead, and who says so; WaitingHuman where a person must kill it. Raises Halted."""
        if self.journal.last(CONFIRM, SEEN) is not None:
            return None
        revoked = self.journal.last(REVOKE, SEEN)
        by_hand = revoked is not None and revoked.ids.get("outcome") == BY_HAND
        ref, rotation = self.parties.entry.ref, self.journal.rotation
        waits = WaitingHuman(rotation, ref, REVOKE, self.parties.rotator.manual or UNKNOWN)
        probing = self._probing()
        if self.parties.verify is None and not probing:
            # a consumer that was read back shows that it has the new one, never that the old one is dead
            if by_hand and not attested_by:
                return waits
            self.journal.seen(CONFIRM, outcome=ATTESTED, by=attested_by)
            return None
        verdict = self.asks.poll(old(), Dead) if self.parties.verify else self._ask_consumers(probing, values())
        if not isinstance(verdict, Dead):
            if by_hand:
                return waits
            who = "the provider" if self.parties.verify else "its consumer"
            raise Halted(
                f"{ref}: the old one is not proved dead: {said(verdict, who)}",
                hint=f"The new one is in use. Look at who takes the old one; then run: keyward resume {rotation}",
            )
        if self.parties.verify:
            self.journal.seen(CONFIRM, outcome=DEAD, evidence=_shown(verdict.evidence))
        else:
            names = [each.name for each in probing]
            self.journal.seen(CONFIRM, outcome=BY_CONSUMER, evidence=_shown(verdict.evidence), refused_by=names)
        return None

    def _probing(self) -> list[Probing]:
        """The consumers that have the new one and can be asked whether they refuse the old one."""
        withheld = owed(self.journal)
        placed = [each for each in self.parties.consumers if self.parties.name(each) not in withheld]
        return [each.consumer for each in placed if isinstance(each.consumer, Probing)]

    def _ask_consumers(self, probing: list[Probing], values: Values) -> Verdict:
        return self.asks.until(lambda: ask_about_old(probing, values, self.parties.clock), Dead)


def _shown(evidence: Evidence) -> dict[str, Any]:
    return dict(evidence._asdict())
