"""SSH keys: the line of a key in an `authorized_keys` file.

What is possible: everything, over SFTP. A new ed25519 key is made here; its line is added to the file, restricted as `scope` says or like the old
  line; old and new live side by side; then the old line is taken out. Lines are found by the key itself, never by their comment, and all
  other lines stay byte for byte.
What is manual: keys at forges and clouds (their own rotators), certificates, keys in LDAP or behind `AuthorizedKeysCommand`, a revocation list
  (`RevokedKeys`), PuTTY files, hosts that cannot be reached from here.
Rights: a login that may write the file: an account of its own (`admin.key`, `admin.user`), or the key itself if it may use SFTP. With
  `admin.key` set to the store's own path of this credential, the login is always the key that is current.

Settings:
  target.host, .port, .user        where, and whose file it is
  target.options.host_key          the host's key, pinned: `SHA256:…` as `ssh-keygen -l` shows it, or the whole public key; several with commas.
                                   Without it nothing is connected: there is no trust on first use
  target.options.authorized_keys   the file; default `.ssh/authorized_keys`, seen from the home folder of the login
  scope.from                       addresses that may log in (`10.0.0.0/8,192.0.2.7`)
  scope.command                    the one command that the key may run
  scope.restrict                   true: no forwarding, no terminal (the default where `from` or `command` is set)
  scope.permit                     what `restrict` leaves allowed: `["pty", "port-forwarding", "agent-forwarding", "X11-forwarding", "user-rc"]`
  scope.end_sessions               a command that ends the sessions of the user, for instance `loginctl terminate-user deploy`
  expiry                           becomes `expiry-time`
  admin.key, .user, .passphrase    the login that writes; the passphrase is used for an old key that has one, too

Against locking everybody out: the file is replaced at once by one with the same mode and owner (a half-written file, or one with the wrong owner, is
  what locks people out); the session that writes stays open until a second login with the new file has succeeded, and puts the old file back
  if it does not. The last key that still lets in is not removed. A rollback that fires by itself on the host was left out on
  purpose: it would undo what a resumed rotation has done since.
Traps: sessions that are open stay open (`scope.end_sessions`). The host answers a wrong address (`from=`) like an unknown key, so prove and confirm
  from where the consumer stands. `expiry-time` is UTC from OpenSSH 9.1 on, and the host's own time before.
References: https://man.openbsd.org/sshd.8#AUTHORIZED_KEYS_FILE_FORMAT  https://man.openbsd.org/sshd_config.5#AuthorizedKeysFile
  https://github.com/openssh/openssh-portable/blob/master/PROTOCOL
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import MappingProxyType

from keyward.errors import ProviderError, Refused
from keyward.model.credential import NO_PARTS, SecretParts
from keyward.model.kind import Kind
from keyward.model.lane import Entry
from keyward.model.secret import Secret
from keyward.plugin.rotator import AdminNeed, Capabilities, Held, Inventory, Issued, Job, Origin, Overlap, Rotator, Warning

from ._ssh_keys import OFF, Line, fingerprint, joined, lines_of, new_private_key, private_key, public_blob, public_line, quoted
from ._ssh_session import Denied, File, Session, logged_in

Lines = list[bytes | Line]

ATTEMPTS = 3
"""How often the file is read again because somebody else wrote it meanwhile."""

PERMITS = ("pty", "port-forwarding", "agent-forwarding", "X11-forwarding", "user-rc")

_EDITS = ("ssh login as {user}", "sftp", "sftp lstat", "sftp read", "sftp write", "sftp setstat", "sftp rename")


class SSHKeys(Rotator):
    kinds = (Kind("private-key/pem"), Kind("private-key/pem-encrypted"))
    scope_names = ("from", "command", "restrict", "permit", "end_sessions")
    admin_options = ("key", "user", "passphrase")
    gives = ("secret",)
    title = "SSH keys in authorized_keys"
    origin = Origin.CHOSEN
    capabilities = Capabilities(
        Overlap.OWN, scoped=True, expiry=True, reversible_disable=True, marks=True, settle=10.0, propagation=10.0
    )
    admin = AdminNeed((), ("a login that may write the authorized_keys file over SFTP",))
    references = ("https://man.openbsd.org/sshd.8#AUTHORIZED_KEYS_FILE_FORMAT",)
    calls = MappingProxyType(
        {
            "QUARANTINE": _EDITS,
            "ISSUE": _EDITS,
            "PROVE": ("ssh login",),
            "REVOKE": ("ssh login", *_EDITS),
            "CONFIRM": ("ssh login",),
        }
    )

    def calls_for(self, entry: Entry) -> Mapping[str, tuple[str, ...]]:
        return {**self.calls, "REVOKE": (*self.calls["REVOKE"], "ssh exec")} if entry.scope.get("end_sessions") else self.calls

    def identify(self, job: Job, parts: SecretParts) -> str:
        """The public key's fingerprint, if the file has exactly this key."""
        blob = self._blob(job, parts)
        with self._session(job, parts) as session:
            lines = [line for line in _keys(session.read(_path(job)).text) if line.blob == blob]
        if not lines:
            raise Refused(
                f"{job.entry.ref}: {fingerprint(blob)} is not in {_path(job)} on {job.target.host}",
                hint="It lets nobody in there: nothing has to be replaced, or target names another host, user or file.",
            )
        if any(b"cert-authority" in line.options for line in lines):
            raise Refused(
                f"{job.entry.ref}: {fingerprint(blob)} signs certificates there", hint="Replace an authority by hand."
            )
        return fingerprint(blob)

    def inventory(self, job: Job) -> Inventory:
        with self._session(job) as session:
            lines = _keys(session.read(_path(job)).text)
        held = {fingerprint(line.blob): _held(job, line) for line in lines}
        return Inventory(f"{job.target.user}@{job.target.host}", tuple(held.values()))

    def choose(self, job: Job, old: SecretParts) -> SecretParts:
        return {"secret": Secret(new_private_key())}

    def issue(self, job: Job, new: SecretParts, old: SecretParts) -> Issued:
        blob = self._blob(job, new)
        old_blob = self._blob(job, old) if old else b""
        expires = job.ports.clock.now() + job.entry.expiry if job.entry.expiry else None
        with self._session(job, old, new) as session:
            options = _options(job, expires, session.server)

            def change(lines: Lines) -> Lines:
                mine = [line for line in lines if isinstance(line, Line) and line.blob == blob and line.on]
                if mine:
                    return lines
                like = next((line.options for line in lines if isinstance(line, Line) and line.blob == old_blob), b"")
                text = public_line(blob, options or _without_expiry(like), _comment(job)) + b"\n"
                end = b"\n" if lines and not joined(lines[-1:]).endswith(b"\n") else b""
                return [*(line for line in lines if not isinstance(line, Line) or line.blob != blob), end, text]

            self._edit(job, session, change, lambda: self._try(job, new))
        return Issued(fingerprint(blob), new, expires)

    def disable(self, job: Job, id: str, parts: SecretParts) -> None:
        """Puts a mark before the line, which makes it a comment."""
        self._switch(job, id, parts, lambda line: [OFF + line.text] if line.on else [line])

    def enable(self, job: Job, id: str, parts: SecretParts) -> None:
        self._switch(job, id, parts, lambda line: [line] if line.on else [line.text[len(OFF) :]], lets_in=True)

    def revoke(self, job: Job, id: str, parts: SecretParts) -> None:
        """Takes every line of the key out of the file."""
        self._switch(job, id, parts, lambda line: [])

    def end_sessions(self, job: Job, id: str, parts: SecretParts) -> None:
        """Runs `scope.end_sessions`, because SSH itself does not tell which session belongs to which key."""
        command = job.scope_text("end_sessions")
        if not command:
            return
        try:
            with self._session(job, parts) as session:
                status = session.execute(command)
        except Denied:
            return  # the key that would end its own sessions is gone already
        if status:
            raise Refused(
                f"{job.entry.ref}: scope.end_sessions ended with status {status}", hint="Try the command on the host."
            )

    def review(self, job: Job, inventory: Inventory) -> Iterable[Warning]:
        with self._session(job) as session:
            lines = _keys(session.read(_path(job)).text)
        for line in lines:
            if line.on and _lane_of(line) == job.entry.lane:
                if not re.search(rb"(?:^|,)(?:restrict|command=|from=)", line.options, re.IGNORECASE):
                    yield Warning("over-broad", f"{fingerprint(line.blob)} may do everything, from everywhere")
                if b"expiry-time=" not in line.options:
                    yield Warning("no-expiry", f"{fingerprint(line.blob)} never expires")

    # logins

    def _blob(self, job: Job, parts: SecretParts) -> bytes:
        return public_blob(parts["secret"].reveal(), _passphrase(job, parts))

    @contextmanager
    def _session(self, job: Job, *keys: SecretParts) -> Iterator[Session]:
        """A session with the admin's key, else with the first of these keys that is let in. Raises Denied if none is."""
        if "key" in job.admin:
            user = job.admin_text("user") if "user" in job.admin else job.target.user
            candidates = [(user, private_key(job.admin["key"].reveal(), _passphrase(job, NO_PARTS)))]
        else:
            candidates = [
                (job.target.user, private_key(p["secret"].reveal(), _passphrase(job, p))) for p in keys if "secret" in p
            ]
        if not candidates or not all(user for user, _ in candidates):
            raise Refused(f"{job.entry.ref}: no login that may write the file", hint="Set target.user, and admin.key.")
        with ExitStack() as stack:
            for user, key in candidates:
                try:
                    session = stack.enter_context(logged_in(job, user, key))
                except Denied:
                    continue
                session.open_files()
                yield session
                return
            raise Denied(f"{job.entry.ref}: {job.target.host} lets none of the known keys in", hint="Set or correct admin.key.")

    def _try(self, job: Job, parts: SecretParts) -> None:
        """A second login, while the first one is open. Raises what went wrong."""
        key = private_key(parts["secret"].reveal(), _passphrase(job, parts))
        with logged_in(job, job.target.user, key):
            pass

    def _try_admin(self, job: Job, gone: bytes) -> None:
        """A second login with whatever may still log in: the admin's key, unless that is the one that was just taken out."""
        if "key" in job.admin:
            key = private_key(job.admin["key"].reveal(), _passphrase(job, NO_PARTS))
            if key.public_data != gone:
                user = job.admin_text("user") if "user" in job.admin else job.target.user
                with logged_in(job, user, key):
                    pass

    def _comes_by_another_door(self, job: Job) -> bool:
        """Whether the admin logs in as somebody else, and so does not need a key in this file."""
        return "key" in job.admin and "user" in job.admin and job.admin_text("user") != job.target.user

    # the file

    def _switch(
        self, job: Job, id: str, parts: SecretParts, each: Callable[[Line], list[bytes | Line]], *, lets_in: bool = False
    ) -> None:
        """Replaces every line of one key."""
        wanted = id or fingerprint(self._blob(job, parts))
        gone: list[bytes] = []

        def change(lines: Lines) -> Lines:
            mine = [line for line in lines if isinstance(line, Line) and fingerprint(line.blob) == wanted]
            gone[:] = [] if lets_in else [line.blob for line in mine]
            others = [line for line in lines if isinstance(line, Line) and line.on and line not in mine]
            if any(line.on for line in mine) and not lets_in and not others and not self._comes_by_another_door(job):
                raise Refused(
                    f"{job.entry.ref}: {wanted} is the last key of {job.target.user} on {job.target.host}",
                    hint="Without it nobody could log in any more; add another one first.",
                )
            return [new for line in lines for new in (each(line) if line in mine and isinstance(line, Line) else [line])]

        try:
            with self._session(job, parts) as session:
                self._edit(job, session, change, lambda: self._try_admin(job, gone[0] if gone else b""))
        except Denied:
            if "key" in job.admin:
                raise
            # the key was to take itself out, and is not let in any more: it is gone

    def _edit(self, job: Job, session: Session, change: Callable[[Lines], Lines], prove: Callable[[], None]) -> None:
        """Changes the file at once, proves that one can still log in, and puts the old file back if not."""
        path = _path(job)
        temporary = f"{path}.keyward-{re.sub(r'[^A-Za-z0-9-]', '-', job.mark or 'edit')}"
        for _ in range(ATTEMPTS):
            before = session.read(path)
            after = joined(change(lines_of(before.text)))
            if after == before.text:
                return
            session.write(path, temporary, after, before)
            if session.read(path) != before:
                session.remove(temporary)
                continue
            session.rename(temporary, path)
            self._prove_or_restore(job, session, before, after, temporary, prove)
            return
        raise Refused(f"{job.entry.ref}: somebody else keeps writing {path}", hint="Nothing was changed. Try again later.")

    def _prove_or_restore(
        self, job: Job, session: Session, before: File, after: bytes, temporary: str, prove: Callable[[], None]
    ) -> None:
        path = _path(job)
        try:
            prove()
        except ProviderError as error:
            if before.mode is not None and session.read(path).text == after:
                session.write(path, temporary, before.text, before)
                session.rename(temporary, path)
            raise Refused(
                f"{job.entry.ref}: after the change one could not log in any more ({error}); the file was put back",
                hint=error.hint or "Look at the server's log.",
            ) from None


def _path(job: Job) -> str:
    path = job.target.options.get("authorized_keys") or ".ssh/authorized_keys"
    if "\0" in path or path.endswith("/"):
        raise Refused(f"{job.entry.ref}: target.options.authorized_keys names no file")
    return path


def _keys(text: bytes) -> list[Line]:
    return [line for line in lines_of(text) if isinstance(line, Line)]


def _passphrase(job: Job, parts: SecretParts) -> str:
    held = parts.get("passphrase") or job.admin.get("passphrase")
    return held.reveal().decode() if held else ""


def _options(job: Job, expires: float | None, server: str) -> bytes:
    """What `scope` and `expiry` say, as the beginning of a line; empty where they say nothing."""
    scope = job.entry.scope
    words: list[str] = []
    permit = scope.get("permit", ())
    if not isinstance(permit, (list, tuple)) or any(each not in PERMITS for each in permit):
        raise Refused(f"{job.entry.ref}: scope.permit is a list of {', '.join(PERMITS)}")
    restrict = scope.get("restrict", any(name in scope for name in ("from", "command", "permit")))
    if not isinstance(restrict, bool):
        raise Refused(f"{job.entry.ref}: scope.restrict must be true or false")
    if restrict:
        words += ["restrict", *map(str, permit)]
    words += [quoted(name, value) for name in ("from", "command") if (value := job.scope_text(name))]
    if expires is not None:
        version = re.search(r"OpenSSH_(\d+)\.(\d+)", server)
        utc = bool(version) and (int(version.group(1)), int(version.group(2))) >= (9, 1)  # type: ignore[union-attr]
        words.append(quoted("expiry-time", time.strftime("%Y%m%d%H%M%S" + ("Z" if utc else ""), time.gmtime(expires))))
    return ",".join(words).encode()


def _without_expiry(options: bytes) -> bytes:
    """The old line's options for the new one: the same rights, and not the old end."""
    return re.sub(rb',?expiry-time="[^"]*"', b"", options).strip(b",")


def _comment(job: Job) -> bytes:
    """`keyward:<lane>:<rotation>`."""
    rotation = job.mark.partition(":")[2]
    return f"keyward:{re.sub(r'[^A-Za-z0-9._-]', '-', job.entry.lane)}:{rotation}".encode()


def _lane_of(line: Line) -> str:
    fields = line.comment.decode("utf-8", "replace").split(":")
    return fields[1] if len(fields) == 3 and fields[0] == "keyward" else ""


def _held(job: Job, line: Line) -> Held:
    lane = _lane_of(line)
    mark = "keyward:" + line.comment.decode("utf-8", "replace").split(":")[2] if lane else ""
    return Held(fingerprint(line.blob), line.on, mark=mark, name=line.comment.decode("utf-8", "replace")[:80])


ROTATORS: tuple[Rotator, ...] = (SSHKeys(),)
