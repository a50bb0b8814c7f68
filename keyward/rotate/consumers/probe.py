"""A consumer's own probe: a command that says whether what consumes a credential takes a value now.

Reading back what was written shows where the new value is, never what became of the old one. Only somebody who *checks* the value can
tell that; where no provider can be asked (a webhook's secret, a token that a service of your own checks), it is the consumer itself.

`probe` of a consumer is a command (a list, no shell). It gets the parts of one value as a JSON object on standard input, tries it,
and ends with 0 if it was taken, with 1 if it was refused, and with anything else where it cannot tell. It must change nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, runtime_checkable

from keyward.errors import ConsumerError
from keyward.model.credential import SecretParts
from keyward.model.verdict import Dead, Evidence, Live, Unknown, Verdict
from keyward.plugin.clock import Clock
from keyward.plugin.consumer import Consumer, Values
from keyward.rotate.consumers.commands import Checked, Commands
from keyward.rotate.consumers.files import HOST
from keyward.rotate.consumers.remote import as_json

ACCEPTED, REFUSED = 0, 1
"""How a probe ends."""


@runtime_checkable
class Probing(Protocol):
    """A consumer that can be asked about a value, besides being given one."""

    name: str

    def accepts(self, values: Values, parts: SecretParts) -> bool:
        """Whether the consumer takes `parts` now. Raises ConsumerError where that cannot be told."""
        ...


class Probed(Checked):
    """A consumer with a `probe` command."""

    def __init__(
        self, inner: Consumer, commands: Commands, reload: Sequence[str], check: Sequence[str], probe: Sequence[str]
    ) -> None:
        super().__init__(inner, commands, reload, check)
        self._probe = tuple(probe)

    def verify(self, values: Values) -> str:
        """As the others, and then the consumer itself must take the new value, before the old one dies."""
        evidence = super().verify(values)
        if not self.accepts(values, values.new):
            raise ConsumerError(f"{self.name} refuses the new value, says its probe", hint="Look at the consumer, then resume.")
        return f"{evidence}; its probe took the new value"

    def accepts(self, values: Values, parts: SecretParts) -> bool:
        ran = self._commands.run(self._probe, values, changes=False, stdin=as_json(parts))
        if ran.code not in (ACCEPTED, REFUSED):
            raise ConsumerError(f"the probe of {self.name} cannot tell: it ended with {ran.code}", hint="Run it by hand.")
        return ran.code == ACCEPTED


def ask_about_old(probing: Iterable[Probing], values: Values, clock: Clock) -> Verdict:
    """What consumers say of the old value: Live if one takes it, Dead if all refuse it, Unknown where one cannot tell.

    Each is asked about the new value first: a probe that refuses that as well is broken, and its word on the old one is worth nothing.
    """
    names = []
    for consumer in probing:
        names.append(consumer.name)
        try:
            if not consumer.accepts(values, values.new):
                return Unknown(f"the probe of {consumer.name} refuses the new value as well")
            if consumer.accepts(values, values.old):
                return Live(Evidence("consumer's probe", HOST, "accepted", clock.now()), consumer.name)
        except ConsumerError as error:
            return Unknown(str(error))
    return Dead(Evidence(f"probe of {', '.join(names)}", HOST, "refused", clock.now()))
