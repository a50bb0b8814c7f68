"""Passwords in the configurations of Cisco's routers and switches, and Juniper's.

What it is: type 7 passwords, which are XORed with a constant that everybody knows (two decimal digits, then hexadecimal ones); passwords in clear
  text (`enable password`, `username … password`), SNMP communities; Juniper's `$9$` strings, which are reversible as well. Types 5, 8 and 9 are hashes
  and no credential. A type 7 password is decoded here, offline, to tell it from other digits.
Where it is used: `show running-config`, backups of it (RANCID, Oxidized), templates of Ansible, tickets and wikis.
What an attacker can do: log in to the device and, as such passwords are rarely unique, to its neighbours; read or change it over SNMP.
How to replace it: set another one on the device, as `secret` with type 8 or 9; replace SNMP communities by SNMPv3 users.
References: https://www.cisco.com/c/en/us/support/docs/security-vpn/remote-authentication-dial-user-service-radius/107614-64.html
  https://www.juniper.net/documentation/us/en/software/junos/user-access/topics/topic-map/master-password-configuration-encryption.html
"""

from __future__ import annotations

from keyward.plugin import STRUCTURAL, CredentialKind, Kind, Manual, Parts, Rule, Signal, letters
from keyward.plugin.shapes import Shape, concat, part, raw, text

from ._passwords import PASSWORD, judge

TYPE_7, CLEAR, COMMUNITY, JUNIPER = (
    Kind("cisco/type-7-password"),
    Kind("cisco/password"),
    Kind("cisco/snmp-community"),
    Kind("juniper/type-9-secret"),
)

_ABOUT_TYPES = "https://www.cisco.com/c/en/us/support/docs/security-vpn/remote-authentication-dial-user-service-radius/107614-64.html"
_ON_THE_DEVICE = Manual(
    ("Set another password on the device, as `secret` with type 8 or 9.", "Save its configuration, and replace the copies of it.", "Look for it on other devices."),
    _ABOUT_TYPES,
)

_KEY = b"dsfd;kfoA,.iyewrkldJKDHSUBsgvca69834ncxv9873254k;fg87"
"""The constant of type 7, published since 1995."""


def decoded(value: bytes) -> bytes:
    """The password of a type 7 string. Raises ValueError for what is none."""
    seed, digits = int(value[:2]), bytes.fromhex(value[2:].decode("ascii"))
    if seed > 15:
        raise ValueError("the first two digits are at most 15")
    return bytes(byte ^ _KEY[(seed + at) % len(_KEY)] for at, byte in enumerate(digits))


def encoded(password: bytes, seed: int = 7) -> bytes:
    """The type 7 string of a password."""
    return b"%02d" % seed + bytes(byte ^ _KEY[(seed + at) % len(_KEY)] for at, byte in enumerate(password)).hex().upper().encode()


def _is_text(parts: Parts) -> Signal | None:
    try:
        plain = decoded(parts["secret"])
    except ValueError:
        return Signal("structure", -100, "no type 7 password")
    if all(32 < byte < 127 for byte in plain):
        return Signal("structure", 15, "decodes to text")
    return Signal("structure", -60, "does not decode to text")


def _device(parts: Parts) -> Signal | None:
    if parts["secret"].isalpha() and letters.fluency(parts["secret"]) >= letters.READS:
        return Signal("context", -60, "a word")
    return judge(parts)


def _community(parts: Parts) -> Signal | None:
    if parts["secret"].lower() in (b"public", b"private", b"community", b"readonly", b"readwrite"):
        return Signal("context", -100, "the name of a community that every device has")
    return judge(parts)


KINDS = (
    CredentialKind(TYPE_7, "Cisco type 7 password", "high", canonical=decoded, manual=_ON_THE_DEVICE, references=(_ABOUT_TYPES,)),
    CredentialKind(CLEAR, "Password of a network device", "high", public=("user",), manual=_ON_THE_DEVICE, references=(_ABOUT_TYPES,)),
    CredentialKind(
        COMMUNITY,
        "SNMP community",
        "medium",
        manual=Manual(
            ("Remove the community from the device, and use SNMPv3 users.", "Update what polls it."),
            "https://www.cisco.com/c/en/us/support/docs/ip/simple-network-management-protocol-snmp/7282-12.html",
        ),
        references=("https://www.cisco.com/c/en/us/support/docs/ip/simple-network-management-protocol-snmp/7282-12.html",),
    ),
    CredentialKind(
        JUNIPER,
        "Juniper type 9 secret",
        "high",
        manual=Manual(
            ("Set another secret on the device.", "Configure a master password, so that secrets are encrypted with it."),
            "https://www.juniper.net/documentation/us/en/software/junos/user-access/topics/topic-map/master-password-configuration-encryption.html",
        ),
        references=(
            "https://www.juniper.net/documentation/us/en/software/junos/user-access/topics/topic-map/master-password-configuration-encryption.html",
        ),
    ),
)  # fmt: skip

_SEVEN: Shape = part("secret", PASSWORD.map(encoded))
_WORD = rb"(?P<secret>[^\s\"'`<>{}$]{6,64})(?=[\s\"'`]|\Z)"
_NINE: Shape = part("secret", concat("$9$", raw(12).map(lambda drawn: drawn.hex().encode())))

RULES = (
    Rule(
        str(TYPE_7),
        TYPE_7,
        rb"(?<![A-Za-z0-9_])(?:password|secret|key|md5|community|auth|priv) 7 [\"']?(?P<secret>[01][0-9](?:[0-9A-Fa-f]{2}){4,60})(?![0-9A-Za-z])",
        specificity=STRUCTURAL,
        score=65,
        check=_is_text,
        placeholders=False,  # it is decoded, which says more
        examples=(
            text("enable password 7 ", _SEVEN, "\n"),
            text("username svc privilege 15 password 7 ", _SEVEN, "\n"),
            text("tacacs-server key 7 ", _SEVEN, "\n"),
        ),
        near_misses=(
            text("enable password 7 ", PASSWORD.map(lambda word: encoded(word, 7)[:-1]), "\n"),
            text("enable password 7 ", PASSWORD.map(lambda word: b"16" + encoded(word)[2:]), "\n"),
            text("enable secret 5 ", PASSWORD.map(encoded), "\n"),
            text("chapter 7 ", PASSWORD.map(encoded), "\n"),
        ),
    ),
    Rule(
        str(CLEAR),
        CLEAR,
        rb"(?<![^\n#>])[ \t]{0,4}(?:enable (?:password|secret)(?: level \d{1,2})?|username (?P<user>[\w.-]{1,64}) (?:privilege \d{1,2} )?(?:password|secret)|line vty[^\n]{0,20}\n[ \t]{1,4}password)(?: 0)? " + _WORD + rb"(?=[ \t]{0,3}(?:[\r\n]|\Z))",
        specificity=STRUCTURAL,
        score=60,
        check=_device,
        examples=(
            text("enable password ", part("secret", PASSWORD), "\n"),
            text("web3(config)#enable secret 0 ", part("secret", PASSWORD), "\n"),
            text("username ", part("user", "svc"), " privilege 15 password 0 ", part("secret", PASSWORD), "\n"),
        ),
        near_misses=(
            text("enable password encryption\n"),
            text("how to enable password ", PASSWORD, "\n"),
            text("enable password ", PASSWORD, " for all\n"),
            text("username svc privilege 15 secret 5 $1$", PASSWORD, "\n"),
            text("disable password ", PASSWORD, "\n"),
            text("enable password\n", PASSWORD, "\n"),
        ),
    ),
    Rule(
        str(COMMUNITY),
        COMMUNITY,
        rb"(?<![^\s\"'`])snmp-server (?:community|host [\w.:-]{1,60}(?: (?:traps|informs))?(?: version [123]c?)?) " + _WORD + rb"(?= (?i:ro|rw|view)\b)",
        specificity=STRUCTURAL,
        score=65,
        check=_community,
        examples=(
            text("snmp-server community ", part("secret", PASSWORD), " RW 99\n"),
            text("snmp-server community ", part("secret", PASSWORD), " ro\n"),
            text("  snmp-server community ", part("secret", PASSWORD), " view all RO\n"),
        ),
        near_misses=(
            text("snmp-server community public RO\n"),
            text("snmp-server location ", PASSWORD, " ro\n"),
            text("snmp-server community ", PASSWORD, " are long\n"),
        ),
    ),
    Rule(
        str(JUNIPER),
        JUNIPER,
        rb"(?<![A-Za-z0-9])(?:secret|password|key|authentication-key|pre-shared-key ascii-text|simple-password) \"?(?P<secret>\$9\$[A-Za-z0-9./_-]{6,200})(?![A-Za-z0-9./_$-])",
        specificity=STRUCTURAL,
        score=75,
        placeholders=False,  # `$9` is no variable
        examples=(
            text('secret "', _NINE, '"; ## SECRET-DATA\n'),
            text('authentication-key "', _NINE, '";\n'),
            text("set system radius-server 10.2.0.9 secret ", _NINE, "\n"),
        ),
        near_misses=(
            text('secret "$9$', concat("abcde"), '";\n'),
            text('encrypted-password "$6$', PASSWORD, '";\n'),
            text('description "$9$', PASSWORD, '";\n'),
        ),
    ),
)
