"""The rotator of kinds that have none: a person makes the new one and kills the old one; all the rest is as ever."""

from __future__ import annotations

from keyward.errors import Refused
from keyward.model.credential import SecretParts
from keyward.model.kind import CredentialKind, Manual
from keyward.model.lane import Entry
from keyward.plugin.ports import Hosts
from keyward.plugin.rotator import Capabilities, Inventory, Job, Rotator

UNKNOWN = Manual(("Make a new one where the old one was made.", "Delete the old one there."), "")


class ByHand(Rotator):
    """Of one kind. It asks nobody: `public_hosts` is empty."""

    capabilities = Capabilities(settle=30, propagation=30)
    revokes = False

    def __init__(self, kind: CredentialKind) -> None:
        self.kinds = (kind.name,)
        self.title = kind.title
        self.manual = kind.manual or UNKNOWN
        self.references = kind.references

    def hosts(self, entry: Entry) -> Hosts:
        return Hosts()

    def identify(self, job: Job, parts: SecretParts) -> str:
        raise Refused(f"{job.entry.ref}: only a person can tell which one it is at the provider")

    def inventory(self, job: Job) -> Inventory:
        return Inventory("", ())

    def revoke(self, job: Job, id: str, parts: SecretParts) -> None:
        """A person does it."""
