"""Asking a provider and waiting for it: until an answer is the wanted one, until it has time, or until its own time is over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from keyward.errors import ProviderError, Refused, Throttled
from keyward.model.credential import SecretParts
from keyward.model.verdict import Dead, Live, Unknown, Verdict
from keyward.rotate.parties import Parties

MOST_ATTEMPTS = 4
FIRST_WAIT, LONGEST_WAIT = 0.5, 5.0
"""Seconds between two questions whether a credential lives."""

LONGEST_PAUSE = 300.0
"""Seconds that a provider which says "not now" is waited for; one that wants more is come back to by `resume`."""


class Asking(NamedTuple):
    """What one rotation asks, by the clock of its parties."""

    parties: Parties
    rotation: str

    def poll(self, parts: SecretParts, wanted: type[Live] | type[Dead]) -> Verdict:
        """Asks until the answer is the wanted one or the provider's own time for it is over."""
        if self.parties.verify is None:
            return Unknown("nobody can be asked about this kind")
        verify, credential = self.parties.verify, self.parties.credential(parts)
        return self.until(lambda: verify(credential), wanted)

    def until(self, ask: Callable[[], Verdict], wanted: type[Live] | type[Dead]) -> Verdict:
        """The same for any question: the answer, once it is the wanted one, else the last one."""
        clock, capabilities = self.parties.clock, self.parties.capabilities
        deadline = clock.monotonic() + (capabilities.settle if wanted is Live else capabilities.propagation)
        wait = FIRST_WAIT
        while True:
            verdict = ask()
            if isinstance(verdict, wanted) or clock.monotonic() >= deadline:
                return verdict
            pause = wait
            if isinstance(verdict, Unknown) and verdict.retry_after:
                pause = max(wait, verdict.retry_after)
            clock.sleep(min(pause, max(0.05, deadline - clock.monotonic())))
            wait = min(wait * 1.5, LONGEST_WAIT)

    def patiently(self, action: Callable[[], Any], *, again_if_uncertain: bool = False) -> Any:
        """Does something that may be done again: waits where the provider says not now, and where nothing was sent."""
        for attempt in range(1, MOST_ATTEMPTS + 1):
            try:
                return action()
            except Throttled as error:
                if attempt == MOST_ATTEMPTS:
                    raise
                self.pause(error)
            except Refused:
                raise
            except ProviderError as error:
                if attempt == MOST_ATTEMPTS or not (error.certain or again_if_uncertain):
                    raise
                self.parties.clock.sleep(FIRST_WAIT * attempt)
        raise AssertionError("unreachable")

    def pause(self, error: Throttled) -> None:
        """Waits as long as the provider asks for. Raises Throttled where that is too long to wait for here."""
        if not error.retry_after <= LONGEST_PAUSE:
            hint = f"Later, run: keyward resume {self.rotation}"
            raise Throttled(str(error), retry_after=error.retry_after, hint=hint)
        self.parties.clock.sleep(error.retry_after)


def said(verdict: Verdict, who: str = "the provider") -> str:
    """A verdict in words, for a message. `who`: who was asked."""
    if isinstance(verdict, Unknown):
        return f"nobody could tell ({verdict.reason})"
    if isinstance(verdict, Live):
        return f"{who} still accepts it"
    if isinstance(verdict, Dead):
        return f"{who} refuses it"
    return f"{who} knows it but restricts it ({verdict.reason})"
