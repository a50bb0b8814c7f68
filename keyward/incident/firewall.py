"""Rules of a Lighthouse firewall: the set that locks a machine down without locking its operator out. Pure; no I/O.

What no rule accepts is dropped. The rules are for what comes in: what goes out (a thief who sends data away) they do not stop.

Facts: the rule's names, values and defaults are those of the SDK's `FirewallRule` (lighthouse v20200324, models.py).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from keyward.errors import UsageError

LONGEST_DESCRIPTION = 64
MOST_RULES = 100
"""As `ModifyFirewallRules` allows."""

_HINT = 'Name the networks that you come from: ssh_from = ["203.0.113.7/32"] below [incident].'


class Rule(NamedTuple):
    """One rule. Exactly one of `ipv4` and `ipv6` is set: a network in CIDR form."""

    protocol: str
    port: str
    ipv4: str = ""
    ipv6: str = ""
    action: str = "ACCEPT"
    description: str = ""

    def __str__(self) -> str:
        return f"{self.action} {self.protocol} {self.port or 'ALL'} from {self.ipv4 or self.ipv6}"

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """What the rule does, without its description."""
        return (self.protocol, self.port or "ALL", self.ipv4, self.ipv6, self.action)


def from_answer(row: Mapping[str, Any]) -> Rule:
    """A rule as `DescribeFirewallRules` shows it."""
    text = {name: str(row.get(name) or "") for name in ("Protocol", "Port", "CidrBlock", "Ipv6CidrBlock", "Action")}
    action = text["Action"] or "ACCEPT"
    return Rule(
        text["Protocol"],
        text["Port"],
        text["CidrBlock"],
        text["Ipv6CidrBlock"],
        action,
        str(row.get("FirewallRuleDescription") or ""),
    )


def to_request(rule: Rule) -> dict[str, str]:
    """A rule as `ModifyFirewallRules` wants it: ICMP has no port, and only one of the two networks may be named."""
    request = {"Protocol": rule.protocol, "Action": rule.action}
    if rule.protocol in ("TCP", "UDP", "ALL"):
        request["Port"] = rule.port or "ALL"
    request["Ipv6CidrBlock" if rule.ipv6 else "CidrBlock"] = rule.ipv6 or rule.ipv4
    if rule.description:
        request["FirewallRuleDescription"] = rule.description[:LONGEST_DESCRIPTION]
    return request


def networks(texts: Iterable[str]) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """The operator's networks. Raises UsageError for one that is none, that is everybody's, or that no packet over the internet comes from."""
    found = []
    for text in texts:
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise UsageError(f"{text!r} is no address or network", hint=_HINT) from None
        if network.prefixlen < 8:
            raise UsageError(f"{network} lets nearly everybody in", hint=_HINT)
        if network.is_loopback or network.is_link_local or network.is_multicast or _is_inside(network):
            raise UsageError(f"{network} is no address that the internet sees: it would lock you out", hint=_HINT)
        found.append(network)
    return tuple(dict.fromkeys(found))


_INSIDE = tuple(
    ipaddress.ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)


def _is_inside(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    return any(network.version == inside.version and network.overlaps(inside) for inside in _INSIDE)


def lock_down(allowed: Iterable[str], port: int, case: str) -> tuple[Rule, ...]:
    """The whole set: SSH from the operator's networks, and nothing else. Raises UsageError where that would lock everybody out."""
    named = networks(allowed)
    if not named:
        raise UsageError("nobody knows which address you come from: everybody would be locked out", hint=_HINT)
    description = f"keyward incident {case}"[:LONGEST_DESCRIPTION]
    return tuple(
        Rule("TCP", str(port), ipv4=str(net), description=description)
        if net.version == 4
        else Rule("TCP", str(port), ipv6=str(net), description=description)
        for net in named
    )


def same(left: Iterable[Rule], right: Iterable[Rule]) -> bool:
    """Whether two sets do the same, whatever they are called."""
    return sorted(each.key for each in left) == sorted(each.key for each in right)


def from_session(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The address that this SSH session comes from, as sshd tells it; empty where there is none."""
    first = (environment.get("SSH_CONNECTION") or environment.get("SSH_CLIENT") or "").split()
    try:
        address = ipaddress.ip_address(first[0].partition("%")[0]) if first else None
    except ValueError:
        return ()
    if address is None:
        return ()
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return (str(ipaddress.ip_network(address)),)
