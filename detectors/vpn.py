"""Secrets of virtual private networks in the files of their daemons.

What it is: `<auth-user-pass>` in OpenVPN's profiles; `: PSK "…"`, `: EAP "…"` and `: XAUTH "…"` in `ipsec.secrets` of strongSwan and Libreswan; the third column of `chap-secrets` and `pap-secrets` of pppd.
Where it is used: `/etc/ipsec.secrets`, `/etc/ipsec.d/*.secrets`, `/etc/ppp/chap-secrets`, and the notes and playbooks that write them.
What an attacker can do: join the network as that peer or user, and with a pre-shared key pretend to be the gateway.
How to replace it: set a new one on both ends; prefer certificates to pre-shared keys.
References: https://docs.strongswan.org/docs/latest/config/secrets.html  https://man7.org/linux/man-pages/man8/pppd.8.html
"""

from __future__ import annotations

from keyward.plugin import CredentialKind, Kind, Manual

from ._passwords import WORD, form_rule

SECRET = Kind("vpn/shared-secret")

KINDS = (
    CredentialKind(
        SECRET,
        "Secret of a VPN",
        "critical",
        manual=Manual(
            ("Set a new secret on both ends.", "Restart the tunnel on both.", "Read the logs of the gateway for foreign addresses."),
            "https://docs.strongswan.org/docs/latest/config/secrets.html",
        ),
        references=("https://docs.strongswan.org/docs/latest/config/secrets.html",),
    ),
)  # fmt: skip

RULES = (
    form_rule(
        "vpn/ipsec-secrets",
        SECRET,
        rb"(?<![^\s]):[ \t]{1,8}(?:PSK|EAP|XAUTH|NTLM)[ \t]{1,8}[\"'](?P<secret>[^\"'\n]{4,128})[\"']",
        75,
        ('web3.corp.io gw.corp.io : PSK "{}"\n', ': PSK "{}"\n', 'svc : EAP "{}"\n', "svc : XAUTH '{}'\n"),
        (': RSA "{}"\n', 'web3.corp.io : PSK "password"\n', ": PSK 0s\n", 'svc:EAP "{}"\n'),
    ),
    form_rule(
        "vpn/auth-user-pass",
        SECRET,
        rb"<auth-user-pass>[ \t]*\r?\n[^\s<>]{1,100}[ \t]*\r?\n" + WORD + rb"[ \t]*\r?\n</auth-user-pass>",
        70,
        ("<auth-user-pass>\nsvc\n{}\n</auth-user-pass>\n", "<auth-user-pass>\r\nsvc@corp.io\r\n{}\r\n</auth-user-pass>\r\n"),
        ("<auth-user-pass>\nsvc\npassword\n</auth-user-pass>\n", "auth-user-pass\nsvc\n{}\n", "<auth-user-pass>\n{}\n</auth-user-pass>\n"),
    ),
    form_rule(
        "vpn/chap-secrets",
        SECRET,
        rb"(?<![^\n])[\"']?[\w.@*\\-]{1,64}[\"']?[ \t]{1,24}[\"']?(?:\*|pptpd|l2tpd|xl2tpd|pppoe\S{0,12}|ppp\S{0,12}|openl2tpd|accel-ppp)[\"']?[ \t]{1,24}[\"']?" + WORD + rb"[\"']?[ \t]{1,24}(?:\*|(?:\d{1,3}\.){3}\d{1,3})[ \t]{0,8}(?=[\r\n]|\Z)",
        75,
        ("svc\tl2tpd\t{}\t*\n", '"svc" * "{}" *\n', "svc pptpd {} 10.2.0.9\n"),
        ("svc\tl2tpd\tpassword\t*\n", "svc\tl2tpd\t{}\n", "# client\tserver\tsecret\tIP addresses\n", "svc\tsshd\t{}\t*\n"),
        anchor=rb"[ \t](?:\*|pptpd|l2tpd|xl2tpd|pppoe\S{0,12}|ppp\S{0,12}|openl2tpd|accel-ppp|\"\*\")[ \t]{1,24}[\"']?[^\s\"'`,;(){}<>\[\]\\]{4,128}[\"']?[ \t]{1,24}(?:\*|(?:\d{1,3}\.){3}\d{1,3})[ \t]{0,8}(?:[\r\n]|\Z)",
    ),
)  # fmt: skip
