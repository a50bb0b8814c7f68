"""Values that nobody issues: webhook and signing secrets, application keys, and whatever a command can apply.

What is possible: a new value by rule. Either its consumers are all there is to it (`issue` does nothing), or a command of yours applies
  it (`apply`), another one ends the old one (`revoke`), and a third one tells whether a value is in force (`check`).
What is manual: what no command does: the other side of a webhook, sessions that were signed with the old value.

Settings        | read from | meaning
alphabet        | scope     | `urlsafe` (default), `hex`, `base64` or `ascii` (printable, without quotes, space, backslash, $ and `)
length          | scope     | characters, the prefix not counted; default by kind (43; Django 64, Rails 128)
prefix          | scope     | stands before the value (`whsec_`)
fallbacks       | scope     | true: applications take [new, old] for a while; then there is a drain, and consumers write both (their
                |           | `fallbacks` option), and the new one alone after it
apply           | scope     | a command, as a list without a shell; it must put the same value in place again without harm
revoke          | scope     | a command that ends the old value; without it, it ends when the new one is applied
check           | scope     | a command that answers with 0 for a value in force, 1 for one that is not, anything else for "cannot tell"
stdin           | scope     | what commands read: `value` (default: the value alone, no line end) or `json` ({"new": {…}, "old": {…}})
timeout         | scope     | seconds that a command may take; 60

Commands get the value on standard input, never in their arguments or environment. They see KEYWARD_LANE, KEYWARD_NAME and
  KEYWARD_ROTATION. An exit status other than 0 means that nothing was changed, but 75 (try again later) and a time-out: these mean
  that nobody knows.
Rights: those of the commands.
Traps: without `check` nobody can prove anything; the rotation then ends as attested, or as proved by a consumer's own `probe`. A
  Laravel key and Rails' secret_key_base also encrypt stored data: keep the old one among the fallbacks (APP_PREVIOUS_KEYS, `rotate`).
References: https://docs.djangoproject.com/en/stable/ref/settings/#secret-key-fallbacks
  https://laravel.com/docs/encryption#gracefully-rotating-encryption-keys  https://www.standardwebhooks.com/
"""

from __future__ import annotations

import base64
import json
import math
import os
import secrets
import string
import subprocess
from collections.abc import Mapping
from types import MappingProxyType

from keyward.errors import Refused, Uncertain
from keyward.model.credential import NO_PARTS, SecretParts
from keyward.model.kind import Kind
from keyward.model.lane import Entry
from keyward.model.secret import Secret
from keyward.model.verdict import Dead, Evidence, Live, Unknown, Verdict
from keyward.plugin.rotator import Capabilities, Held, Inventory, Issued, Job, Origin, Overlap, Rotator

GENERIC, SIGNING = Kind("generic/secret"), Kind("app/signing-secret")
DJANGO, RAILS, LARAVEL = Kind("django/secret-key"), Kind("rails/secret-key-base"), Kind("laravel/app-key")

ALPHABETS = {
    "urlsafe": string.ascii_letters + string.digits + "-_",
    "hex": "0123456789abcdef",
    "base64": string.ascii_letters + string.digits + "+/",
    "ascii": "".join(sorted(set(string.ascii_letters + string.digits + string.punctuation) - set("\"'`\\$"))),
}
USUAL = {RAILS: ("hex", 128), DJANGO: ("urlsafe", 64)}
LEAST_BITS, MOST_LENGTH = 128, 4096
LOCAL = "localhost"
TRY_LATER = 75
"""EX_TEMPFAIL of sysexits.h."""


class GenericSecret(Rotator):
    """See the page."""

    kinds = (GENERIC, SIGNING, DJANGO, RAILS, LARAVEL)
    scope_names = ("alphabet", "length", "prefix", "fallbacks", "apply", "revoke", "check", "stdin", "timeout")
    gives = ("secret",)
    title = "Generated values"
    origin = Origin.CHOSEN
    capabilities = Capabilities(overlap=Overlap.NONE, settle=30.0, propagation=30.0, applied_by_consumers=True)
    references = ("https://www.standardwebhooks.com/",)
    calls = MappingProxyType(
        {
            "ISSUE": ("exec apply {program}",),
            "PROVE": ("exec check {program}",),
            "REVOKE": ("exec check {program}", "exec revoke {program}"),
            "CONFIRM": ("exec check {program}",),
        }
    )

    def calls_for(self, entry: Entry) -> Mapping[str, tuple[str, ...]]:
        """Those commands alone that `scope` has, with their programs' names."""

        def shown(name: str) -> str:
            command = entry.scope.get(name.split()[1])
            if not isinstance(command, (list, tuple)) or not command:
                return ""
            return name.format(program=os.path.basename(str(command[0])))

        return {step: tuple(filter(None, map(shown, names))) for step, names in self.calls.items()}

    def capabilities_for(self, entry: Entry) -> Capabilities:
        overlaps = bool(entry.scope.get("revoke") if entry.scope.get("apply") else entry.scope.get("fallbacks"))
        return self.capabilities._replace(
            overlap=Overlap.OWN if overlaps else Overlap.NONE,
            applied_by_consumers=not entry.scope.get("apply"),
            fallbacks=overlaps and not entry.scope.get("apply"),
        )

    def identify(self, job: Job, parts: SecretParts) -> str:
        if "secret" not in parts:
            raise Refused(f"{job.entry.ref}: the value to be replaced has no part `secret`")
        if self.can_probe(job.entry) and isinstance(verdict := self.probe(job, parts), (Dead, Unknown)):
            said = "is not in force" if isinstance(verdict, Dead) else f"cannot be checked: {verdict.reason}"
            raise Refused(f"{job.entry.ref}: the value to be replaced {said}", hint="See what scope.check says of it.")
        return job.entry.ref

    def inventory(self, job: Job) -> Inventory:
        return Inventory(job.entry.ref, (Held(job.entry.ref),), lane_owned=True)

    def choose(self, job: Job, old: SecretParts) -> SecretParts:
        return {**old, "secret": Secret(_new_value(job).encode())}

    def issue(self, job: Job, new: SecretParts, old: SecretParts) -> Issued:
        self._do(job, "apply", new, old)
        return Issued(job.entry.ref, new)

    def revoke(self, job: Job, id: str, parts: SecretParts) -> None:
        if parts:
            self._do(job, "revoke", NO_PARTS, parts)

    def can_probe(self, entry: Entry) -> bool:
        return bool(entry.scope.get("check"))

    def probe(self, job: Job, parts: SecretParts) -> Verdict:
        """Whether a value is in force, by `scope.check`; Unknown without one."""
        command = _command(job, "check")
        if not command:
            return Unknown("scope.check names no command")
        try:
            code = _run(job, "check", command, parts, NO_PARTS, changes=False)
        except (Refused, Uncertain) as error:
            return Unknown(str(error))
        seen = Evidence(f"exec {os.path.basename(command[0])}", LOCAL, f"exit {code}", job.ports.clock.now())
        if code in (0, 1):
            return Live(seen) if code == 0 else Dead(seen)
        return Unknown(f"scope.check ended with {code}")

    def _do(self, job: Job, step: str, new: SecretParts, old: SecretParts) -> None:
        command = _command(job, step)
        if not command:
            return
        code = _run(job, step, command, new, old, changes=True)
        if code == TRY_LATER or code < 0:
            raise Uncertain(f"{job.entry.ref}: scope.{step} ended with {code}: it may have happened")
        if code:
            raise Refused(f"{job.entry.ref}: scope.{step} ended with {code}", hint="Run it by hand to see why.")


def _new_value(job: Job) -> str:
    """A random value by the entry's rule. Raises Refused for a rule that cannot be, or that gives less than 128 bits."""
    if job.entry.kind == LARAVEL:
        return "base64:" + base64.b64encode(secrets.token_bytes(32)).decode()
    usual_alphabet, usual_length = USUAL.get(job.entry.kind, ("urlsafe", 43))
    alphabet = job.scope_text("alphabet", usual_alphabet)
    if alphabet not in ALPHABETS:
        raise Refused(
            f"{job.entry.ref}: scope.alphabet must be one of {', '.join(ALPHABETS)}", hint="Correct it in the configuration."
        )
    letters = ALPHABETS[alphabet]
    length = job.entry.scope.get("length", usual_length if alphabet != "base64" else 44)
    least = math.ceil(LEAST_BITS / math.log2(len(letters)))
    if isinstance(length, bool) or not isinstance(length, int) or not least <= length <= MOST_LENGTH:
        raise Refused(
            f"{job.entry.ref}: scope.length must be {least} to {MOST_LENGTH}", hint="Correct it in the configuration."
        )
    prefix = job.scope_text("prefix")
    if alphabet == "base64":
        if length % 4:
            raise Refused(
                f"{job.entry.ref}: scope.length of base64 must be a multiple of 4", hint="Correct it in the configuration."
            )
        return prefix + base64.b64encode(secrets.token_bytes(length * 3 // 4)).decode()
    return prefix + "".join(secrets.choice(letters) for _ in range(length))


def _command(job: Job, step: str) -> list[str]:
    """The command of a step; empty if there is none. Raises Refused for what is no list of texts."""
    command = job.entry.scope.get(step, [])
    if not isinstance(command, (list, tuple)) or not all(isinstance(each, str) for each in command):
        raise Refused(
            f"{job.entry.ref}: scope.{step} must be a list of texts", hint='Like this: ["/usr/local/bin/put", "--now"].'
        )
    return list(command)


def _run(job: Job, step: str, command: list[str], new: SecretParts, old: SecretParts, *, changes: bool) -> int:
    """The exit status. What the command prints is thrown away: it may quote the value. Raises Refused, Uncertain."""
    timeout = job.entry.scope.get("timeout", 60)
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or timeout <= 0:
        raise Refused(f"{job.entry.ref}: scope.timeout must be a number of seconds")
    facts = {
        "KEYWARD_LANE": job.entry.lane,
        "KEYWARD_NAME": job.entry.name,
        "KEYWARD_ROTATION": job.mark.removeprefix("keyward:"),
    }

    def start() -> int:
        return subprocess.run(
            command,
            input=_input(job, new, old),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **facts},
            timeout=float(timeout),
            check=False,
        ).returncode

    try:
        return job.ports.call(f"exec {step} {os.path.basename(command[0])}", LOCAL, start, changes=changes)
    except subprocess.TimeoutExpired:
        raise Uncertain(f"{job.entry.ref}: scope.{step} did not end within {timeout} s") from None
    except OSError as error:
        raise Refused(
            f"{job.entry.ref}: scope.{step} cannot be run: {type(error).__name__}", hint="Name the program by its path."
        ) from None


def _input(job: Job, new: SecretParts, old: SecretParts) -> bytes:
    form = job.scope_text("stdin", "value")
    if form not in ("value", "json"):
        raise Refused(f"{job.entry.ref}: scope.stdin must be `value` or `json`", hint="Correct it in the configuration.")
    if form == "value":
        return (new or old)["secret"].reveal()
    return json.dumps({"new": _plain(new), "old": _plain(old)}).encode()


def _plain(parts: SecretParts) -> Mapping[str, str]:
    return {name: value.reveal().decode(errors="surrogateescape") for name, value in parts.items()}


ROTATORS: tuple[Rotator, ...] = (GenericSecret(),)
