"""Tencent Cloud Lighthouse (2020-03-24), as far as snapshots and firewalls of instances go.

Accounts, keys, policies and the check of the TC3 signature are those of `FakeTencent`. A snapshot takes `snapshot_seconds` by the
clock, and while it is made the disk is busy; a firewall has a version that every write raises by one.
"""

from __future__ import annotations

import datetime
import hmac
import ipaddress
import re
import secrets
from collections.abc import Mapping
from typing import Any, ClassVar

from keyward.plugin.clock import Clock
from keyward.testing.fakes.server import Request, Response
from keyward.testing.fakes.tencent import _AUTHORIZATION, CLOCK_SKEW, Denied, FakeTencent, User, _day, _request_id, signature

SERVICE, VERSION = "lighthouse", "2020-03-24"
MOST_RULES = 100
LONGEST_NAME, LONGEST_DESCRIPTION, LONGEST_PORT = 60, 64, 64
MOST_TAGS = 10

_PORT = re.compile(r"ALL|\d{1,5}(?:,\d{1,5})*|\d{1,5}-\d{1,5}")


class Snapshot:
    """One snapshot of a system disk. `ready`: when it will be whole, by the clock; `failed`: whether it never will be."""

    def __init__(self, instance: str, name: str, created: float, ready: float, *, failed: bool, request: str) -> None:
        self.id = f"lhsnap-{secrets.token_hex(4)}"
        self.instance, self.name, self.created, self.ready, self.failed, self.request = (
            instance, name, created, ready, failed, request,
        )  # fmt: skip


class Instance:
    """One machine. `rules`: as `DescribeFirewallRules` shows them, without `AppType`."""

    def __init__(self, region: str) -> None:
        self.id = f"lhins-{secrets.token_hex(4)}"
        self.region = region
        self.version = 1
        self.rules: list[dict[str, str]] = [
            rule("TCP", "80", "0.0.0.0/0", "web"),
            rule("TCP", "443", "0.0.0.0/0", "web"),
            rule("TCP", "22", "0.0.0.0/0", "shell"),
            {**rule("ICMPv6", "ALL", "", "ping"), "Ipv6CidrBlock": "::/0"},
        ]


def rule(protocol: str, port: str, block: str, description: str = "", action: str = "ACCEPT") -> dict[str, str]:
    """A firewall rule over IPv4, in the words of the API."""
    names = {"Protocol": protocol, "Port": port, "CidrBlock": block, "Ipv6CidrBlock": ""}
    return {**names, "Action": action, "FirewallRuleDescription": description}


class FakeLighthouse(FakeTencent):
    """`snapshot_seconds`: how long a snapshot takes; `snapshot_quota`: how many an account may have; `fail_snapshots`: how many of
    the next ones come to nothing; `busy_firewall`: how many of the next writes find the firewall busy."""

    RULES: ClassVar[tuple[str, ...]] = (
        *FakeTencent.RULES,
        "ModifyFirewallRules deletes all rules, then adds the given ones; a FirewallVersion that is not the newest fails; Port and "
        "description have at most 64 characters: tencentcloud-sdk-python-lighthouse, lighthouse_client.py",
        "each write raises FirewallVersion by one; no FirewallVersion: no check; at most 100 rules: the same package, models.py",
        "UnsupportedOperation.FirewallVersionMismatch, .FirewallBusy, .SnapshotBusy, LimitExceeded.SnapshotQuotaLimitExceeded, "
        "InvalidParameter.FirewallRulesDuplicated: the same package, errorcodes.py",
        "SnapshotState NORMAL or CREATING, Percent, LatestOperationState SUCCESS, OPERATING or FAILED: the same package, models.py",
        "a snapshot's name has at most 60 characters, it has at most 10 tags: the same file",
        "DescribeSnapshots takes SnapshotIds or Filters (10, of 5 values), never both; Limit 20, at most 100: the same file",
        "DescribeFirewallRules pages with Offset and Limit (20, at most 100): the same file",
    )

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        region: str = "ap-singapore",
        snapshot_seconds: float = 60.0,
        snapshot_quota: int = 2,
        fail_snapshots: int = 0,
        busy_firewall: int = 0,
        throttle: bool = True,
        quoting: bool = False,
        propagation: float = 0.0,
    ) -> None:
        super().__init__(clock=clock, throttle=throttle, quoting=quoting, propagation=propagation)
        self.snapshot_seconds, self.snapshot_quota = snapshot_seconds, snapshot_quota
        self.fail_snapshots, self.busy_firewall = fail_snapshots, busy_firewall
        self.instance = Instance(region)
        self.instances = {self.instance.id: self.instance}
        self.snapshots: dict[str, Snapshot] = {}

    def handle(self, request: Request) -> Response:
        match = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
        if match is None or match["service"] != SERVICE:
            return super().handle(request)
        action = self.label(request)
        try:
            caller, service = self._authenticate(request)
            handler = getattr(self, f"_lighthouse_{action}", None)
            if handler is None or request.headers.get("x-tc-version") != VERSION:
                raise Denied("InvalidAction", f"no action {action} of that version")
            if self.throttle and not self._take(action):
                return self.throttled()
            self._authorize(caller, f"{service}:{action}")
            arguments = request.json() or {}
            if not isinstance(arguments, dict):
                raise Denied("InvalidRequest", "the body is not an object")
            id = _request_id()
            answer: Mapping[str, object] = handler(arguments, request.headers.get("x-tc-region", ""), id)
        except ValueError:
            return self._error("InvalidRequest", "the body is not JSON")
        except Denied as denied:
            quoted = f" {request.headers.get('authorization')} {request.body.decode()}" if self.quoting else ""
            return self._error(denied.code, denied.message + quoted)
        return Response(200, {"Response": {**answer, "RequestId": id}})

    def _authenticate(self, request: Request) -> tuple[User, str]:
        match = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
        if match is None or match["service"] != SERVICE:
            return super()._authenticate(request)
        stamp = request.headers.get("x-tc-timestamp", "")
        if not stamp.isdigit():
            raise Denied("AuthFailure.InvalidAuthorization")
        if request.method != "POST" or request.path != "/":
            raise Denied("InvalidRequest")
        user, key = self._find(match["id"])
        if abs(self.clock.now() - int(stamp)) > CLOCK_SKEW or match["date"] != _day(int(stamp)):
            raise Denied("AuthFailure.SignatureExpire")
        names = match["headers"].split(";")
        if not {"content-type", "host"} <= set(names):
            raise Denied("AuthFailure.InvalidAuthorization")
        signed = signature(key.secret, SERVICE, int(stamp), names, request.headers, request.body)
        if not hmac.compare_digest(signed, match["signature"]):
            raise Denied("AuthFailure.SignatureFailure", "The provided credentials could not be validated.")
        key.last_used = self.clock.now()
        return user, SERVICE

    def _instance(self, arguments: Mapping[str, Any], region: str) -> Instance:
        id = arguments.get("InstanceId")
        if not isinstance(id, str) or not re.fullmatch(r"lhins-[0-9a-z]{1,16}", id):
            raise Denied("InvalidParameterValue.InstanceIdMalformed")
        found = self.instances.get(id)
        if found is None or found.region != region:  # each region has its own endpoint's data
            raise Denied("ResourceNotFound.InstanceIdNotFound")
        return found

    # Snapshots

    def _lighthouse_CreateInstanceSnapshot(self, arguments: Mapping[str, Any], region: str, id: str) -> Mapping[str, object]:
        instance = self._instance(arguments, region)
        name = arguments.get("SnapshotName") or ""
        if not isinstance(name, str) or len(name) > LONGEST_NAME:
            raise Denied("InvalidParameterValue.SnapshotNameTooLong")
        if len(arguments.get("Tags") or []) > MOST_TAGS:
            raise Denied("InvalidParameterValue")
        if any(each.instance == instance.id and self._state(each)[1] == "OPERATING" for each in self.snapshots.values()):
            raise Denied("UnsupportedOperation.SnapshotBusy")
        if len(self.snapshots) >= self.snapshot_quota:
            raise Denied("LimitExceeded.SnapshotQuotaLimitExceeded")
        now = self.clock.now()
        made = Snapshot(instance.id, name, now, now + self.snapshot_seconds, failed=self.fail_snapshots > 0, request=id)
        self.fail_snapshots = max(0, self.fail_snapshots - 1)
        self.snapshots[made.id] = made
        return {"SnapshotId": made.id}

    def _state(self, snapshot: Snapshot) -> tuple[str, str, int]:
        """`SnapshotState`, `LatestOperationState`, `Percent`"""
        now = self.clock.now()
        if now < snapshot.ready:
            part = (now - snapshot.created) / max(1e-9, snapshot.ready - snapshot.created)
            return "CREATING", "OPERATING", int(part * 100)
        return ("CREATING", "FAILED", 0) if snapshot.failed else ("NORMAL", "SUCCESS", 100)

    def _lighthouse_DescribeSnapshots(self, arguments: Mapping[str, Any], region: str, id: str) -> Mapping[str, object]:
        ids, filters = arguments.get("SnapshotIds") or [], arguments.get("Filters") or []
        if (ids and filters) or len(ids) > 100 or len(filters) > 10:
            raise Denied("InvalidParameter")
        found = [each for each in self.snapshots.values() if self.instances[each.instance].region == region]
        if any(each not in self.snapshots for each in ids):
            raise Denied("ResourceNotFound.SnapshotIdNotFound")
        found = [each for each in found if not ids or each.id in ids]
        for one in filters:
            values = one.get("Values") or []
            if len(values) > 5 or one.get("Name") not in ("snapshot-id", "snapshot-name", "instance-id"):
                raise Denied("InvalidParameterValue")
            key = {"snapshot-id": "id", "snapshot-name": "name", "instance-id": "instance"}[one["Name"]]
            found = [each for each in found if getattr(each, key) in values]
        rows = [self._row_of(each) for each in found]
        return {"TotalCount": len(rows), "SnapshotSet": _slice(rows, arguments)}

    def _row_of(self, each: Snapshot) -> dict[str, object]:
        state, operation, percent = self._state(each)
        stamp = datetime.datetime.fromtimestamp(each.created, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "SnapshotId": each.id, "DiskUsage": "SYSTEM_DISK", "DiskId": "lhdisk-0", "DiskSize": 40, "SnapshotName": each.name,
            "SnapshotState": state, "Percent": percent, "LatestOperation": "CreateInstanceSnapshot",
            "LatestOperationState": operation, "LatestOperationRequestId": each.request, "CreatedTime": stamp, "Tags": [],
        }  # fmt: skip

    # Firewalls

    def _lighthouse_DescribeFirewallRules(self, arguments: Mapping[str, Any], region: str, id: str) -> Mapping[str, object]:
        instance = self._instance(arguments, region)
        rows: list[dict[str, object]] = [{"AppType": "custom", **each} for each in instance.rules]
        return {
            "TotalCount": len(rows),
            "FirewallRuleSet": _slice(rows, arguments),
            "FirewallVersion": instance.version,
        }

    def _lighthouse_ModifyFirewallRules(self, arguments: Mapping[str, Any], region: str, id: str) -> Mapping[str, object]:
        instance = self._instance(arguments, region)
        given = arguments.get("FirewallRules")
        if not isinstance(given, list) or not given:
            raise Denied("InvalidParameterValue")
        if len(given) > MOST_RULES:
            raise Denied("LimitExceeded.FirewallRulesLimitExceeded")
        rules = [_checked(each) for each in given]
        keys = [tuple(each[name] for name in ("Protocol", "Port", "CidrBlock", "Ipv6CidrBlock")) for each in rules]
        if len(keys) != len(set(keys)):
            raise Denied("InvalidParameter.FirewallRulesDuplicated")
        if self.busy_firewall:
            self.busy_firewall -= 1
            raise Denied("UnsupportedOperation.FirewallBusy")
        version = arguments.get("FirewallVersion")
        if version is not None and version != instance.version:
            raise Denied("UnsupportedOperation.FirewallVersionMismatch")
        instance.rules, instance.version = rules, instance.version + 1
        return {}


def _checked(given: Mapping[str, Any]) -> dict[str, str]:
    """A rule with its defaults. Raises Denied."""
    unknown = set(given) - {"Protocol", "Port", "CidrBlock", "Ipv6CidrBlock", "Action", "FirewallRuleDescription"}
    if unknown:
        raise Denied("UnknownParameter", f"{sorted(unknown)[0]}")
    made = {name: str(given.get(name) or "") for name in ("Protocol", "Port", "CidrBlock", "Ipv6CidrBlock")}
    made |= {
        "Action": str(given.get("Action") or "ACCEPT"),
        "FirewallRuleDescription": str(given.get("FirewallRuleDescription") or ""),
    }
    if made["Protocol"] not in ("TCP", "UDP", "ICMP", "ICMPv6", "ALL") or made["Action"] not in ("ACCEPT", "DROP"):
        raise Denied("InvalidParameterValue")
    if len(made["FirewallRuleDescription"]) > LONGEST_DESCRIPTION:
        raise Denied("InvalidParameterValue.FirewallRuleDescriptionTooLong")
    if made["Protocol"] in ("TCP", "UDP"):
        if not _PORT.fullmatch(made["Port"]) or len(made["Port"]) > LONGEST_PORT:
            raise Denied("InvalidParameterValue")
    elif made["Port"] not in ("", "ALL"):
        raise Denied("InvalidParameterValue")
    _check_blocks(made)
    return made


def _check_blocks(made: dict[str, str]) -> None:
    if made["CidrBlock"] and made["Ipv6CidrBlock"]:
        raise Denied("InvalidParameter", "CidrBlock and Ipv6CidrBlock exclude each other")
    if not made["CidrBlock"] and not made["Ipv6CidrBlock"]:
        made["Ipv6CidrBlock" if made["Protocol"] == "ICMPv6" else "CidrBlock"] = (
            "::/0" if made["Protocol"] == "ICMPv6" else "0.0.0.0/0"
        )
    try:
        if made["CidrBlock"]:
            ipaddress.IPv4Network(made["CidrBlock"])
        else:
            ipaddress.IPv6Network(made["Ipv6CidrBlock"])
    except ValueError:
        raise Denied("InvalidParameterValue") from None


def _slice(rows: list[dict[str, object]], arguments: Mapping[str, Any]) -> list[dict[str, object]]:
    limit, offset = arguments.get("Limit"), arguments.get("Offset") or 0
    limit = 20 if limit is None else limit
    if not 1 <= int(limit) <= 100:
        raise Denied("InvalidParameterValue")
    return rows[int(offset) : int(offset) + int(limit)]
