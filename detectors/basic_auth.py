"""User names and passwords of HTTP Basic authentication, and on command lines.

What it is: `Authorization: Basic` with base64 of `user:password`, `curl -u user:password`, `wget --password`, `http -a`, `sshpass -p`.
Where it is used: shell histories, CI scripts, Dockerfiles, API collections, notes, logs of HTTP clients.
What an attacker can do: whatever the account may do at the host in the same command. Base64 is no protection.
How to replace it: change the password at that host, or revoke the token that stands in its place; then use a `.netrc`, a
  credential helper or a variable.
References: https://datatracker.ietf.org/doc/html/rfc7617  https://curl.se/docs/manpage.html#-u
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

from keyward.plugin import STRUCTURAL, CredentialKind, Kind, Manual, Parts, Rule, Signal
from keyward.plugin.checksums import decode_base64
from keyward.plugin.letters import is_random
from keyward.plugin.shapes import Shape, b64, concat, part, text

from ._passwords import PASSWORD, WORD, form_rule, judge, where

BASIC, SSHPASS = Kind("basic-auth/password"), Kind("basic-auth/sshpass")


def pair(value: bytes) -> tuple[bytes, bytes] | None:
    """User and password of a value that is base64 of `user:password` in printable text; else None."""
    decoded = decode_base64(value)
    if not decoded or not all(32 <= c < 127 or c >= 0xC2 for c in decoded):
        return None
    user, colon, password = decoded.partition(b":")
    return (user, password) if colon and password else None


def _canonical(value: bytes) -> bytes:
    """The password alone, so that header and command line have one fingerprint."""
    decoded = pair(value) if len(value) >= 8 else None
    return decoded[1] if decoded else value


def _describe(parts: Parts) -> Mapping[str, str]:
    decoded = pair(parts["secret"])
    facts = where(parts)
    if decoded and decoded[0] and len(decoded[0]) <= 60 and not is_random(decoded[0]):  # a token may stand where the user does
        facts["user"] = decoded[0].decode("utf-8", "replace")
    return facts


def check_pair(parts: Parts) -> Signal | None:
    """Judges the password inside the base64; what does not decode to a pair is no credential of this kind."""
    decoded = pair(parts["secret"])
    if decoded is None:
        return Signal("structure", -60, "not base64 of user:password")
    user, password = decoded
    if password.lower() in (b"x-oauth-basic", b"x", b"none") or password.startswith((b"$", b"{", b"<", b"%")):
        return Signal("context", -60, "no password after the colon")
    judged = judge({"user": user, "secret": password})
    return judged or Signal("structure", 5, "decodes to user:password")


_STEPS = Manual(
    ("Change the password, or revoke the token, at the host that it is for.", "Update what uses it.", "Pass it by a netrc file, a helper or a variable."),
    "https://curl.se/docs/manpage.html#--netrc",
)

KINDS = (
    CredentialKind(BASIC, "Password of HTTP Basic authentication", "high", public=("user",), describe=_describe, canonical=_canonical, manual=_STEPS,
                   references=("https://datatracker.ietf.org/doc/html/rfc7617",)),
    CredentialKind(SSHPASS, "SSH password on a command line", "critical",
                   manual=Manual(("Change the account's password with passwd.", "Use a key instead of a password."), "https://man.openbsd.org/ssh-keygen"),
                   references=("https://linux.die.net/man/1/sshpass",)),
)  # fmt: skip

ENCODED: Shape = concat("svc_orders:", PASSWORD).map(base64.b64encode)
_USER = part("user", "svc_orders")
_SECRET = part("secret", PASSWORD)

RULES = (
    Rule(
        "basic-auth/header",
        BASIC,
        rb"(?<![A-Za-z0-9])(?i:authorization)[\"']?\]?\s{0,3}(?:[:=,]|=>)\s{0,3}[\"'`]?(?i:basic) (?P<secret>[A-Za-z0-9+/_-]{8,400}={0,2})(?![A-Za-z0-9+/=])",
        specificity=STRUCTURAL,
        score=65,
        check=check_pair,
        examples=(
            text("curl -H 'Authorization: Basic ", part("secret", ENCODED), "' https://api.corp.io/\n"),
            text('headers = {"Authorization": "Basic ', part("secret", ENCODED), '"}\n'),
            text("> authorization: basic ", part("secret", ENCODED), "\n"),
        ),
        near_misses=(
            text("Authorization: Basic ", b64(40), "\n"),
            text("Authorization: Basic ", concat("user:password").map(base64.b64encode), "\n"),
            text("Authorization: Basic ", concat("svc_orders:").map(base64.b64encode), "\n"),
            text("Authorization: Digest ", ENCODED, "\n"),
        ),
    ),
    Rule(
        "basic-auth/curl",
        BASIC,
        rb"(?<![A-Za-z0-9_-])(?:curl|http|https|xh|httpie)(?:\.exe)?\s(?:[^|;]{0,300}?\s)?(?:-u {0,3}|--user(?: {1,3}|=)|-a {1,3}|--proxy-user(?: {1,3}|=)|-U {1,3})[\"']?(?P<user>[^\s:\"'/$<]{1,100})?:(?P<secret>[^\s\"'`]{2,200})(?=[\s\"'`]|\Z)",
        anchor=rb"\s(?:-u {0,3}|--user(?: {1,3}|=)|-a {1,3}|--proxy-user(?: {1,3}|=)|-U {1,3})[\"']?[^\s:\"'/$<]{0,100}:[^\s\"'`]{2}",
        specificity=STRUCTURAL,
        score=70,
        check=judge,
        examples=(
            text("curl -u ", _USER, ":", _SECRET, " https://api.corp.io/\n"),
            text("curl -s -X POST --user '", _USER, ":", _SECRET, "' https://api.corp.io/\n"),
            text("curl -u ':", _SECRET, "' https://localhost:9200/_cluster/health\n"),
            text("curl -X POST --user  '", _USER, ":", _SECRET, "' $API\n"),
            text("RUN curl -sSL \\\n  -u", _USER, ":", _SECRET, " -o a.tgz https://repo.corp.io/a.tgz\n"),
        ),
        near_misses=(
            text("curl -u svc_orders https://api.corp.io/\n"),
            text("curl -u <user:", PASSWORD, "> https://api.corp.io/\n"),
            text("curl -u user:password https://api.corp.io/\n"),
            text("curl -u svc_orders:$TOKEN https://api.corp.io/\n"),
            text("docker run -u svc_orders:", PASSWORD, " image\n"),
        ),
    ),
    form_rule("basic-auth/libcurl", BASIC, rb"CURLOPT_(?:PROXY)?USERPWD\s{0,4}(?:,|=>|=)\s{0,4}[\"'](?:[^\s:\"'$<]{1,100}):(?P<secret>[^\s\"'`]{2,200})[\"']", 70,
              ("curl_setopt($ch, CURLOPT_USERPWD, 'svc:{}');\n", 'curl_easy_setopt(curl, CURLOPT_USERPWD, "svc:{}");\n', "  CURLOPT_PROXYUSERPWD => 'svc:{}',\n"),
              ("curl_setopt($ch, CURLOPT_USERPWD, $pair);\n", "curl_setopt($ch, CURLOPT_USERPWD, 'user:password');\n", "curl_setopt($ch, CURLOPT_USERAGENT, 'svc:{}');\n")),
    form_rule("basic-auth/encoded-call", BASIC, rb"(?:b64encode|base64[._](?:strict_|urlsafe_)?[eE]ncode(?:64|ToString)?|Base64\.(?:strict_)?encode(?:64)?|encodeToString|btoa|(?<![A-Za-z0-9])b64e)\([ \t]?[bu]?[\"'](?:[^\s:\"'$<]{1,100}):(?P<secret>[^\s\"'`]{2,200})[\"']", 70,
              ("headers['Authorization'] = 'Basic ' + btoa('svc:{}')\n", 'token = base64.b64encode(b"svc:{}")\n', "'Authorization: Basic ' . base64_encode('svc:{}')\n"),
              ("token = btoa(user + ':' + '{}')\n", "token = base64.b64encode(b'user:password')\n", "token = base64.b64decode(b'svc:{}')\n")),
    form_rule("basic-auth/wget", BASIC, rb"(?<![A-Za-z0-9_-])(?:wget|lftp|svn|hg|mvn|rsync|aria2c) (?:[^\n|;]{0,200}? )?--(?:(?:http|ftp|proxy)-)?passw(?:or)?d[ =][\"']?" + WORD, 70,
              ("wget --user=svc --password={} https://repo.corp.io/a.tgz\n", "wget --http-user=svc --http-password='{}' https://repo.corp.io/\n", "svn checkout --username svc --password {} https://svn.corp.io/a\n"),
              ("wget --user=svc --ask-password https://repo.corp.io/\n", "wget --user=svc --password=$PW https://repo.corp.io/\n", "wget --user=user --password=password https://repo.corp.io/\n"),
              anchor=rb"(?:wget|lftp|svn|hg|mvn|rsync|aria2c) (?:[^\n|;]{0,200} )?--(?:(?:http|ftp|proxy)-)?passw(?:or)?d[ =]"),
    form_rule("basic-auth/sshpass", SSHPASS, rb"(?<![A-Za-z0-9_-])sshpass (?:-v )?-p ?[\"']?" + WORD, 75,
              ("sshpass -p {} ssh root@10.2.0.9\n", "sshpass -p '{}' scp a.tgz svc@web3.corp.io:/srv\n", "RUN sshpass -p\"{}\" rsync -a . web3:/srv\n"),
              ("sshpass -e ssh root@10.2.0.9\n", "sshpass -p $PW ssh root@10.2.0.9\n", "sshpass -p password ssh root@10.2.0.9\n", "sshpass -f /srv/pw ssh root@10.2.0.9\n")),
)  # fmt: skip
