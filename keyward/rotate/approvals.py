"""Approvals: how many people agree that a plan, named by its digest, may be carried out.

Each approval is one small file in a folder. Who gave it is told by what cannot be claimed: the owner of the file (`user`), or a
signature by a key that the operator's `allowed_signers` lists (`ssh`; namespace `keyward-approval`). A person counts once,
however many names, keys and files they have; who started the plan does not count unless the configuration says so. Approvals
expire. Whoever is root on the machine can write files as anybody: where that matters, ask for signatures.

`break_glass` lets a plan pass without them, for the user who runs it, and is recorded as what it is.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from keyward.errors import ConfigError, Refused, UsageError
from keyward.match.paths import is_private, state_folder
from keyward.plugin.clock import Clock, SystemClock
from keyward.rotate.operator import Approvers
from keyward.rotate.who import Who, current, user_name

NAMESPACE = "keyward-approval"
VERSION = 1
USER, SSH, BREAK_GLASS = "user", "ssh", "break-glass"

LARGEST = 1 << 16
MOST_FILES = 1_000
CLOCK_SKEW = 300.0
SHORTEST_REASON = 10
SIGN_TIMEOUT, VERIFY_TIMEOUT = 300.0, 30.0
"""Seconds: a person may have to type a passphrase, or touch a token."""

_DIGEST = re.compile(r"[0-9a-z][0-9a-z:_-]{7,99}")
_KEY_PRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")


class Approval(NamedTuple):
    """One that holds. `person`: the user, or the key's principal. `key`: SHA-256 of the key as ssh-keygen prints it, else empty."""

    digest: str
    person: str
    by: str
    time: float
    expires: float
    host: str = ""
    key: str = ""


class Override(NamedTuple):
    """The glass that was broken: who, why, when."""

    digest: str
    person: str
    reason: str
    time: float


class Decision(NamedTuple):
    """`people`: who agrees, each once. `passed_over`: why other records do not count. `override`: whether, and why, none is needed."""

    needed: int
    people: tuple[str, ...]
    passed_over: tuple[str, ...]
    override: Override | None = None

    @property
    def allowed(self) -> bool:
        return self.override is not None or len(self.people) >= self.needed


class Approvals:
    """The approvals of this host. `who`: found out if left out."""

    def __init__(self, approvers: Approvers, *, clock: Clock | None = None, who: Who | None = None) -> None:
        self.approvers = approvers
        self.folder = approvers.folder or os.path.join(state_folder(), "approvals")
        self.clock = clock or SystemClock()
        self.who = who or current()

    def approve(self, digest: str, *, dry_run: bool = False) -> Approval:
        """Approves as this process's user. `dry_run`: only looks whether that would count and could be recorded. Raises UsageError,
        and Refused for a user who may not."""
        if self.approvers.users and self.who.user not in self.approvers.users:
            raise Refused(
                f"{self.who.user} may not approve", hint="Who may stands in the operator's configuration (approvers.users)."
            )
        approval = self._new(digest, self.who.user, USER)
        self._write(digest, approval._asdict(), dry_run=dry_run)
        return approval

    def approve_signed(self, digest: str, key_file: str, principal: str = "", *, dry_run: bool = False) -> Approval:
        """Approves with an SSH key, or the public half of one that ssh-agent holds. `principal`: needed where the key has several.
        `dry_run`: signs, looks whether that would count, and keeps nothing.

        Raises UsageError if the key cannot sign, Refused if `allowed_signers` does not list it.
        """
        signers = self._signers()
        if not principal:
            principal = self._principal_of(_sign(_message("", "", 0.0, 0.0), key_file), signers)
        approval = self._new(digest, principal, SSH)
        signature = _sign(_message(digest, principal, approval.time, approval.expires), key_file)
        key = _verified(approval, signature, signers)
        if not key:
            raise Refused(f"the key may not approve as {principal!r}", hint=f"Look into {signers}: does it list this key?")
        self._write(digest, {**approval._asdict(), "signature": signature}, dry_run=dry_run)
        return approval._replace(key=key)

    def break_glass(self, digest: str, reason: str) -> Override:
        """Lets a plan pass without approvals, for whoever runs this. Raises UsageError for a reason that says nothing."""
        if len(reason.strip()) < SHORTEST_REASON:
            raise UsageError(
                "breaking the glass needs a reason", hint='For instance: --break-glass "keys are abused, on call alone"'
            )
        override = Override(digest, self.who.user, " ".join(reason.split())[:500], self.clock.now())
        self._write(digest, {**override._asdict(), "by": BREAK_GLASS, "host": self.who.host})
        return override

    def decide(self, digest: str, needed: int, starter: str = "") -> Decision:
        """Whether a plan may be carried out. `starter`: the system user who made it."""
        now = self.clock.now()
        approvals: list[Approval] = []
        passed_over: list[str] = []
        override: Override | None = None
        for name, owner, record in self._records(digest, passed_over):
            if record.get("by") == BREAK_GLASS:
                override = self._override(digest, owner, record, now) or override
                continue
            judged = self._judged(digest, owner, record, now)
            if isinstance(judged, str):
                passed_over.append(f"{name}: {judged}")
            elif not self.approvers.starter_counts and starter and self._same(judged.person, starter):
                passed_over.append(f"{name}: {judged.person} started the plan")
            else:
                approvals.append(judged)
        return Decision(needed, self._people(approvals), tuple(passed_over), override)

    def _new(self, digest: str, person: str, by: str) -> Approval:
        now = round(self.clock.now(), 3)
        return Approval(digest, person, by, now, now + self.approvers.valid, self.who.host)

    def _people(self, approvals: list[Approval]) -> tuple[str, ...]:
        """Everyone once: two approvals under one name, of one person's names, or by one key, are one person's."""
        people: list[str] = []
        keys: set[str] = set()
        for approval in sorted(approvals, key=lambda each: each.time):
            known = any(self._same(approval.person, person) for person in people) or approval.key in keys
            if not known:
                people.append(approval.person)
            keys |= {approval.key} - {""}
        return tuple(people)

    def _same(self, one: str, other: str) -> bool:
        return self._name(one) == self._name(other)

    def _name(self, person: str) -> str:
        return next((name for name, names in self.approvers.people.items() if person == name or person in names), person)

    def _judged(self, digest: str, owner: int, record: Mapping[str, Any], now: float) -> Approval | str:
        """The approval that a record is, or why it is none."""
        try:
            approval = Approval(
                digest=str(record["digest"]),
                person=str(record["person"]),
                by=str(record["by"]),
                time=float(record["time"]),
                expires=float(record["expires"]),
                host=str(record.get("host", "")),
            )
        except (KeyError, TypeError, ValueError):
            return "is no approval"
        if approval.digest != digest:
            return "is for another plan"
        if not approval.time - CLOCK_SKEW <= now:
            return "comes from the future"
        if not now < min(approval.expires, approval.time + self.approvers.valid):
            return "has expired"
        if approval.by == SSH:
            if not self.approvers.allowed_signers:
                return "is signed, and no allowed_signers are configured"
            key = _verified(approval, str(record.get("signature", "")), self._signers())
            return approval._replace(key=key) if key else f"is not signed by a key of {approval.person}"
        if approval.by != USER or approval.person != user_name(owner):
            return f"was written by {user_name(owner)}, not by {approval.person}"
        if self.approvers.users and approval.person not in self.approvers.users:
            return f"{approval.person} may not approve"
        return approval

    def _override(self, digest: str, owner: int, record: Mapping[str, Any], now: float) -> Override | None:
        """Only this user's own, or root's; it expires like an approval."""
        try:
            override = Override(str(record["digest"]), user_name(owner), str(record["reason"]), float(record["time"]))
        except (KeyError, TypeError, ValueError):
            return None
        mine = owner in (self.who.uid, 0) and override.digest == digest
        fresh = override.time - CLOCK_SKEW <= now < override.time + self.approvers.valid
        return override if mine and fresh else None

    def _write(self, digest: str, record: Mapping[str, Any], *, dry_run: bool = False) -> None:
        if not _DIGEST.fullmatch(digest):
            raise UsageError("this is no digest of a plan", hint="Copy it from the output of: keyward plan")
        if dry_run:
            if not os.access(self.folder if self.approvers.folder else _there(self.folder), os.W_OK | os.X_OK):
                raise self._not_recorded("it cannot be written")
            return
        if not self.approvers.folder:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
        path = os.path.join(self.folder, f"{_file_name(digest)}.{secrets.token_hex(6)}.json")
        text = json.dumps({"v": VERSION, **record}, ensure_ascii=True, separators=(",", ":")) + "\n"
        try:
            # others must read it, and nobody else may change it, whatever the umask
            descriptor = os.open(f"{path}.tmp", os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o644)
            with os.fdopen(descriptor, "wb") as file:
                if hasattr(os, "fchmod"):
                    os.fchmod(file.fileno(), 0o644)
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
            os.rename(f"{path}.tmp", path)
        except OSError as error:
            raise self._not_recorded(error.strerror) from None

    def _not_recorded(self, why: str | None) -> UsageError:
        hint = f"Make the folder for all who approve: install -d -m 1770 -g GROUP {self.folder}"
        return UsageError(f"cannot record the approval in {self.folder!r}: {why}", hint=hint)

    def _records(self, digest: str, passed_over: list[str]) -> Iterator[tuple[str, int, Mapping[str, Any]]]:
        """(file name, owner's uid, content) of all that is recorded for a digest."""
        try:
            names = sorted(os.listdir(self.folder))
        except OSError:
            return
        wanted = [name for name in names if name.startswith(f"{_file_name(digest)}.") and name.endswith(".json")]
        for name in wanted[:MOST_FILES]:
            read = _read(os.path.join(self.folder, name))
            if isinstance(read, str):
                passed_over.append(f"{name}: {read}")
            else:
                yield name, *read

    def _signers(self) -> str:
        path = self.approvers.allowed_signers
        if not path:
            hint = 'Write in the operator\'s configuration: [lanes.defaults.approvers] allowed_signers = "/etc/…"'
            raise UsageError("no allowed_signers are configured", hint=hint)
        try:
            private = is_private(os.stat(path))
        except OSError as error:
            raise ConfigError(
                f"cannot be read: {error.strerror}", path=path, hint="See `man ssh-keygen`, ALLOWED SIGNERS."
            ) from None
        if not private:
            hint = "It must be yours or root's, and nobody else's to write."
            raise ConfigError("others can change this file, which decides who approves", path=path, hint=hint)
        return path

    def _principal_of(self, signature: str, signers: str) -> str:
        done = _with_signature(signature, ["-Y", "find-principals", "-f", signers])
        names = [name for line in done.stdout.decode("utf-8", "replace").splitlines() for name in line.split(",")]
        plain = [name for name in dict.fromkeys(names) if name and not set(name) & set("*?!")]
        if done.returncode or not names:
            raise Refused("allowed_signers does not list this key", hint=f"Add it to {signers}.")
        if len(plain) != 1:
            raise UsageError("this key has several names", hint="Say which you are: --as NAME")
        return plain[0]


def _there(folder: str) -> str:
    """The nearest folder upwards that exists."""
    while not os.path.isdir(folder) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    return folder


def _file_name(digest: str) -> str:
    return digest.replace(":", "-")


def _read(path: str) -> tuple[int, Mapping[str, Any]] | str:
    """The owner and content of a record, or why it is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_mode & 0o022:
                return "is no regular file, or others can change it"
            record = json.loads(file.read(LARGEST))
    except OSError as error:
        return (error.strerror or "cannot be read").lower()
    except (ValueError, RecursionError):
        return "is no approval"
    return (status.st_uid, record) if isinstance(record, dict) else "is no approval"


def _message(digest: str, person: str, time: float, expires: float) -> bytes:
    """What is signed. Digest and person have no newline: one is checked, the other is quoted."""
    return (
        f"keyward approval {VERSION}\nplan {digest}\nperson {json.dumps(person)}\ntime {time!r}\nexpires {expires!r}\n".encode()
    )


def _sign(message: bytes, key_file: str) -> str:
    done = _ssh_keygen(["-Y", "sign", "-q", "-n", NAMESPACE, "-f", key_file], message, SIGN_TIMEOUT)
    if done.returncode:
        hint = "Name a private key, or the public half (.pub) of one that ssh-agent holds."
        raise UsageError(f"ssh-keygen cannot sign with {key_file!r}", hint=hint)
    return done.stdout.decode("ascii", "replace")


def _verified(approval: Approval, signature: str, signers: str) -> str:
    """The SHA-256 of the key that signed, empty where the signature does not hold."""
    if approval.person.startswith("-") or not _DIGEST.fullmatch(approval.digest):
        return ""
    message = _message(approval.digest, approval.person, approval.time, approval.expires)
    done = _with_signature(signature, ["-Y", "verify", "-n", NAMESPACE, "-f", signers, "-I", approval.person], message)
    found = _KEY_PRINT.search(done.stdout.decode("utf-8", "replace"))
    return found[0] if done.returncode == 0 and found else ""


def _with_signature(signature: str, words: list[str], message: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    with tempfile.TemporaryDirectory(prefix="keyward-") as folder:
        path = os.path.join(folder, "signature")
        with open(path, "w", encoding="utf-8", errors="replace") as file:
            file.write(signature)
        return _ssh_keygen([*words, "-s", path], message, VERIFY_TIMEOUT)


def _ssh_keygen(words: list[str], message: bytes, timeout: float) -> subprocess.CompletedProcess[bytes]:
    program = shutil.which("ssh-keygen")
    if program is None:
        raise UsageError("ssh-keygen is not installed", hint="It comes with OpenSSH (openssh-client on Debian).")
    try:
        return subprocess.run([program, *words], input=message, capture_output=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        raise UsageError("ssh-keygen did not answer", hint="Is it waiting for a passphrase or a token?") from None
