"""Microsoft Azure keys, connection strings, shared access signatures and Entra client secrets.

What it is: account keys of storage, Cosmos DB, Batch, Service Bus, Event Hubs, IoT Hub, Redis, container registries, search,
  functions, API management and AI services; signatures made from such keys (SAS); client secrets of Entra applications; the
  passwords of publish profiles. Newer keys name their service inside and carry a checksum that can be computed offline.
Where it is used: connection strings in `appsettings.json`, `local.settings.json`, `.env`, Terraform, pipelines; URLs.
What an attacker can do: read and change all data of the account; run models at its cost; with a client secret, act as the
  application with all roles and Graph permissions it was given.
How to replace it: each account has two keys. Move the users to the second key, regenerate the first. A SAS dies with its key
  or its stored access policy. For an application, add a new secret, deploy it, remove the old one.
References: https://learn.microsoft.com/en-us/azure/storage/common/storage-account-keys-manage
  https://github.com/microsoft/security-utilities
  https://learn.microsoft.com/en-us/entra/identity-platform/how-to-add-credentials
"""

from __future__ import annotations

import base64
import calendar
import re
import time
from typing import Any
from urllib.parse import unquote_to_bytes

from keyward.plugin import Companion, Kind, Parts, Rule, Signal, checksum
from keyward.plugin.checksums import decode_base64, marvin32
from keyward.plugin.shapes import (
    ALNUM,
    Shape,
    an,
    assigned,
    b64,
    b64url,
    chars,
    concat,
    hexa,
    lower,
    part,
    text,
    upper_hex,
    uuid4,
)

from ._cloud import UUID, Fields, by_name, credential, expired, header, named, places, wrong

STORAGE = Kind("azure/storage-key")
COSMOS = Kind("azure/cosmos-key")
BATCH = Kind("azure/batch-key")
SHARED_ACCESS = Kind("azure/shared-access-key")
SAS = Kind("azure/shared-access-signature")
REDIS = Kind("azure/redis-key")
REGISTRY = Kind("azure/container-registry-password")
SEARCH = Kind("azure/search-key")
FUNCTIONS = Kind("azure/functions-key")
APIM = Kind("azure/api-management-key")
EVENT_GRID = Kind("azure/event-grid-key")
AI = Kind("azure/ai-services-key")
ANNOTATED = Kind("azure/annotated-key")
APP_CONFIGURATION = Kind("azure/app-configuration-secret")
ACCESS_KEY = Kind("azure/access-key")
CLIENT_SECRET = Kind("azure/client-secret")
PUBLISH = Kind("azure/publish-profile")

_PORTAL = "https://portal.azure.com/#browse/"
_UTILITIES = "https://github.com/microsoft/security-utilities"
_LEARN = "https://learn.microsoft.com/en-us/azure/"
_TWO_KEYS = ("Move what uses the key to the other one of the two.", "Regenerate this key; its old value dies at once.")
_SERVICES = {
    b"ACOG": "AI services", b"AWPS": "Web PubSub or SignalR", b"AZAC": "App Configuration", b"AZMP": "Maps", b"AZCS": "Communication Services",
    b"AZFR": "Fluid Relay", b"AZMR": "Mixed Reality", b"AZEG": "Event Grid", b"AZDO": "DevOps", b"msql": "SQL",
}  # fmt: skip
_SEEDS = {
    b"+ASt": ("Default0",), b"+ABa": ("AbAcct00",), b"+AMC": ("Classic0",), b"AzCa": ("Access00",), b"AzSe": ("PAdmin00", "Query000"),
    b"AzFu": ("Master00", "System00", "Functi00"), b"AIoT": ("IoTHub00", "DpsKey00", "Device00"), b"AZEG": ("Default0",), b"+ACR": ("ACRDflt0",),
    b"ACDb": ("MastRW00", "MastRO00", "SysAll00", "SystRW00", "SystRO00", "Resour00", "Encryp00"), b"APIM": ("IoTHub00", "Tenant00", "Gateway0", "GitKey00"),
    **dict.fromkeys((b"+ASb", b"+AEh", b"+ARm"), ("Send0000", "Listen00", "Manage00", "System00", "Unknown0")),
}  # fmt: skip
"""Seeds of the checksum, by the four characters before the last six."""


def _describe_annotated(parts: Parts) -> Fields:
    key = parts["secret"]
    if key[44:48] == b"QJJQ":
        return {"service": key[52:56].decode("ascii", "replace")}
    facts = {"service": _SERVICES.get(key[76:80], key[76:80].decode("ascii", "replace"))}
    if 65 <= key[58] <= 90 and 65 <= key[59] <= 76:
        facts["created"] = f"{2024 + key[58] - 65}-{key[59] - 64:02d}"
    return facts


def _expiry(signature: bytes) -> float | None:
    found = re.search(rb"(?:^|[&;]|u0026)se=(\d{4}-\d\d-\d\d|\d{9,11}(?!\d))", signature)
    if found is None:
        return None
    value = found.group(1).decode()
    return float(calendar.timegm(time.strptime(value, "%Y-%m-%d"))) + 86_400 if "-" in value else float(value)


def _describe_sas(parts: Parts) -> Fields:
    query = unquote_to_bytes(parts["secret"].replace(b"&amp;", b"&").replace(b"\\u0026", b"&")).decode("latin-1")
    fields = dict(pair.partition("=")[::2] for pair in query.split("&"))
    return {name: fields[key][:60] for key, name in (("se", "expires"), ("sp", "permissions"), ("sr", "resource"), ("skn", "policy")) if key in fields}


KINDS = (
    credential(STORAGE, "Azure storage account key", "critical", _PORTAL + "Microsoft.Storage%2FStorageAccounts", *_TWO_KEYS,
               see=_LEARN + "storage/common/storage-account-keys-manage", public=("account",)),
    credential(COSMOS, "Azure Cosmos DB key", "critical", _PORTAL + "Microsoft.DocumentDb%2FdatabaseAccounts", *_TWO_KEYS,
               see=_LEARN + "cosmos-db/secure-access-to-data", public=("host",)),
    credential(BATCH, "Azure Batch or Machine Learning key", "high", _PORTAL + "Microsoft.Batch%2FbatchAccounts", *_TWO_KEYS, see=_UTILITIES),
    credential(SHARED_ACCESS, "Azure Service Bus, Event Hubs, Relay or IoT shared access key", "high", _PORTAL + "Microsoft.ServiceBus%2Fnamespaces", *_TWO_KEYS,
               see=_LEARN + "service-bus-messaging/service-bus-sas", public=("host",)),
    credential(SAS, "Azure shared access signature", "high", _PORTAL + "Microsoft.Storage%2FStorageAccounts", "Delete the stored access policy it names, if it names one.",
               "Otherwise regenerate the account key that signed it, or revoke the user delegation key.", "Sign a new one with fewer rights and a nearer end.",
               see=_LEARN + "storage/common/storage-sas-overview", describe=_describe_sas),
    credential(REDIS, "Azure Cache for Redis key", "high", _PORTAL + "Microsoft.Cache%2FRedis", *_TWO_KEYS, see=_UTILITIES),
    credential(REGISTRY, "Azure container registry password", "critical", _PORTAL + "Microsoft.ContainerRegistry%2Fregistries", *_TWO_KEYS,
               see=_LEARN + "container-registry/container-registry-authentication"),
    credential(SEARCH, "Azure AI Search key", "high", _PORTAL + "Microsoft.Search%2FsearchServices", *_TWO_KEYS, see=_LEARN + "search/search-security-api-keys"),
    credential(FUNCTIONS, "Azure Functions key", "medium", _PORTAL + "Microsoft.Web%2Fsites", "Renew the key under App keys or Function keys.", "Update the callers.",
               see=_LEARN + "azure-functions/function-keys-how-to"),
    credential(APIM, "Azure API Management key", "medium", _PORTAL + "Microsoft.ApiManagement%2Fservice", *_TWO_KEYS, see=_LEARN + "api-management/api-management-subscriptions"),
    credential(EVENT_GRID, "Azure Event Grid key", "medium", _PORTAL + "Microsoft.EventGrid%2Ftopics", *_TWO_KEYS, see=_LEARN + "event-grid/get-access-keys"),
    credential(AI, "Azure OpenAI or AI services key", "critical", _PORTAL + "Microsoft.CognitiveServices%2Faccounts", *_TWO_KEYS,
               see=_LEARN + "ai-services/rotate-keys", public=("host",)),
    credential(ANNOTATED, "Azure service key", "high", _PORTAL + "all", *_TWO_KEYS, see=_UTILITIES, describe=_describe_annotated),
    credential(APP_CONFIGURATION, "Azure App Configuration secret", "high", _PORTAL + "Microsoft.AppConfiguration%2FconfigurationStores", *_TWO_KEYS,
               see=_LEARN + "azure-app-configuration/concept-enable-rbac", public=("host", "id")),
    credential(ACCESS_KEY, "Azure Communication, SignalR or Web PubSub access key", "high", _PORTAL + "all", *_TWO_KEYS,
               see=_LEARN + "azure-signalr/signalr-howto-key-rotation", public=("host",)),
    credential(CLIENT_SECRET, "Microsoft Entra client secret", "critical", "https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationsListBlade",
               "Add a second secret to the application.", "Update what uses the old one.", "Remove the old secret; the portal shows its first three characters.",
               see="https://learn.microsoft.com/en-us/entra/identity-platform/how-to-add-credentials", public=("client_id", "tenant_id")),
    credential(PUBLISH, "Azure publish profile password", "critical", _PORTAL + "Microsoft.Web%2Fsites", "Reset the publish profile.", "Download the new one into the pipeline.",
               see=_LEARN + "app-service/deploy-configure-credentials", public=("user",)),
)  # fmt: skip


def _decode(key: bytes) -> bytes | None:
    return decode_base64(key.replace(b"%3D", b"=").replace(b"%3d", b"="))


def _identifiable(parts: Parts) -> Signal | None:
    """The last four bytes are the Marvin32 hash of those before, with a seed of the service. The position of the mark is
    enough to know such a key. Redis keys are rewritten after the hash is taken, so that one may fail."""
    key = parts["secret"].replace(b"%3D", b"=").replace(b"%3d", b"=").rstrip(b"=")
    seeds, data = _SEEDS.get(key[-10:-6]), _decode(key)
    if seeds is None or data is None:
        return None
    holds = any(marvin32(data[:-4], seed.encode()).to_bytes(4, "little") == data[-4:] for seed in seeds)
    return checksum(holds, "Marvin32") if holds or key[-10:-6] != b"AzCa" else None


def _annotated(parts: Parts) -> Signal | None:
    """Marvin32 over the first sixty bytes. The short form may write it in base62 instead, so failing there says nothing."""
    key = parts["secret"]
    holds = _hash60(key[:80])[: len(key.rstrip(b"=")) - 80] == key[80:].rstrip(b"=")
    return checksum(holds, "Marvin32") if holds or len(key) == 88 else None


def _hash60(body: bytes) -> bytes:
    return base64.b64encode(marvin32(base64.b64decode(body), b"Default0").to_bytes(4, "little")).rstrip(b"=")


_BASE66 = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ1234567890.-_~"


def _entra_hash(body: bytes) -> bytes:
    number, out = marvin32(body, b"AadPwd00"), bytearray()
    while number:
        number, digit = divmod(number, 66)
        out.append(_BASE66[digit])
    return bytes(reversed(out)).rjust(6, b"a")[:3]


def _entra(parts: Parts) -> Signal | None:
    """Secrets with `8Q~` end with the first three digits of a Marvin32 hash in base 66; those with `7Q~` have none."""
    secret = parts["secret"]
    return checksum(_entra_hash(secret[:37]) == secret[37:], "Marvin32 in base 66") if secret[3:4] == b"8" and len(secret) == 40 else None


def _ends(parts: Parts) -> Signal | None:
    end = _expiry(parts["secret"])
    return expired(end) if end else None


def _key(body: int, mark: str, seed: str, alphabet: str = "") -> Shape:
    """A key with its checksum: random characters, the mark, four bytes of hash."""
    url_safe = bool(alphabet)

    def tail(text: bytes) -> bytes:
        padded = text.replace(b"-", b"+").replace(b"_", b"/") + b"AAA"
        data = base64.b64decode(padded[: len(padded) - len(padded) % 4])[: -(-len(text) * 3 // 4)]
        encoded = base64.b64encode(data + marvin32(data, seed.encode()).to_bytes(4, "little"))
        encoded = encoded.replace(b"+", b"-").replace(b"/", b"_") if url_safe else encoded
        return encoded[len(text) :]

    return concat(chars(alphabet, body) if alphabet else b64(body), mark).tail(tail)


_STORAGE_KEY = _key(76, "+ASt", "Default0")
_BUS_KEY = _key(33, "+ASb", "Send0000")
_OLD_64, _OLD_32 = concat(b64(86), "=="), concat(b64(43), "=")


def _marked(kind: Kind, width: int, mark: bytes, name: str, value: Shape, misses: tuple[Shape, ...], *, id: str = "", more: tuple[Shape, ...] = (), **options: Any) -> Rule:
    """The rule for a key of `width` characters with its mark. The anchor is the mark and what follows."""
    pads = {88: rb"[AQgw]==", 44: rb"[A-Za-z0-9+/]=", 52: rb"[A-Za-z0-9+/]"}[width]
    random = width - 10 - {88: 2, 44: 1, 52: 0}[width]
    tail = mark + rb"[A-Za-z0-9+/]{5}" + pads
    return Rule(
        id or str(kind), kind, rb"(?<![A-Za-z0-9+/])(?P<secret>[A-Za-z0-9+/]{%d}" % random + tail + rb")(?![A-Za-z0-9+/=])", anchor=tail,
        check=_identifiable, examples=(*places(name, value), *more), near_misses=wrong("VALUE", *misses), **options,
    )  # fmt: skip


def _near(mark: str, body: int, pad: str, seed: str) -> tuple[Shape, ...]:
    """One character short, one too many, another mark."""
    last = "Q" if pad == "==" else "A"
    return (concat(b64(body - 1), mark, b64(5), last, pad), concat(b64(body + 1), mark, b64(5), last, pad), concat(b64(body), "ZZZZ", b64(5), last, pad))


_HOST = rb"(?P<host>[A-Za-z0-9-]{2,60}\.%s)"
_SEP = rb"(?:&amp;|&|\\u0026)"
_QUERY = rb"[A-Za-z0-9%:+/._=&;\\-]"
_CLIENT_ID = rb"client[_-]?id|app(?:lication)?[_-]?id"
_FRAME = rb"[A-Za-z0-9+/]{52}JQQJ9[9DH][A-Z][A-L][A-Za-z0-9+/]{12}[A-Za-z0-9+/]{4}"
_FRAME_ANCHOR = rb"JQQJ9[9DH][A-Z][A-L][A-Za-z0-9+/]{20}"


def _framed(mark: str, length: int = 52) -> Shape:
    return concat(an(length), "JQQJ99", "BC", an(12), "AAAB", mark).tail(lambda body: _hash60(body) + b"==" if length == 52 else b"aaaa")


def _frame_rule(kind: Kind, mark: bytes, name: str, sample: str, more: tuple[Shape, ...]) -> Rule:
    value = _framed(sample)
    return Rule(
        str(kind) if kind == ANNOTATED else f"{kind}-annotated", kind,
        rb"(?<![A-Za-z0-9+/])(?P<secret>" + _FRAME + mark + rb"(?:[A-Za-z0-9+/]{6}==|[A-Za-z0-9+/]{4}))(?![A-Za-z0-9+/=])",
        anchor=_FRAME_ANCHOR, score=85, check=_annotated, examples=(*places(name, value), *more),
        near_misses=wrong(name, _framed(sample, 51), _framed(sample, 53), concat(an(52), "JQQJ88", "BC", an(16), sample, an(4)), concat(an(52), "JQQJ99", "BZ", an(16), sample, an(4))),
    )  # fmt: skip


_SECRET_8 = concat(an(3), "8Q~", chars(ALNUM + ".-_~", 30), an(1)).tail(_entra_hash)
_SECRET_7 = concat(an(3), "7Q~", an(31))


def _sas(before: str = "", end: str = "2099-01-01T00%3A00%3A00Z", signature: Shape | None = None) -> Shape:
    return concat(before, "sv=2022-11-02&ss=b&srt=sco&sp=rwl&se=", end, "&spr=https&sig=", signature or concat(an(20), "%2B", an(22), "%3D"))


RULES = (
    _marked(
        STORAGE, 88, rb"\+ASt", "AZURE_STORAGE_KEY", _STORAGE_KEY, _near("+ASt", 76, "==", "Default0"), score=85,
        more=(text("az storage blob list --account-name acme --account-key ", part("secret", _STORAGE_KEY), "\n"),),
    ),
    Rule(
        "azure/storage-connection-string",
        STORAGE,
        rb"AccountName=(?P<account>[a-z0-9]{3,24});\s{0,2}AccountKey=(?P<secret>[A-Za-z0-9+/]{86}==)(?![A-Za-z0-9+/=])",
        score=85,
        check=_identifiable,
        examples=tuple(
            text(before, "DefaultEndpointsProtocol=https;AccountName=", part("account", concat("acme", lower(6))), ";AccountKey=", part("secret", key),
                 ";EndpointSuffix=core.windows.net", after)
            for before, key, after in (
                ("AZURE_STORAGE_CONNECTION_STRING=", _OLD_64, "\n"), ('{"AzureWebJobsStorage": "', _STORAGE_KEY, '"}\n'),
                ('connection_string: "', _OLD_64, '"\n'),
            )
        ),
        near_misses=(
            text("AccountName=acmestore;AccountKey=", b64(85), "==;EndpointSuffix=core.windows.net\n"),
            text("AccountName=acmestore;AccountKey=", b64(87), "==;EndpointSuffix=core.windows.net\n"),
            text("AccountName=acmestore;AccountHash=", b64(86), "==\n"),
        ),
    ),
    by_name(
        STORAGE, rb"(?:azure|storage|blob)[\w.-]{0,24}(?:account|access|storage)[_.-]?key", rb"[A-Za-z0-9+/]{86}==", "AZURE_STORAGE_ACCOUNT_KEY", _OLD_64,
        (concat(b64(85), "=="), concat(b64(87), "=="), concat(b64(86), "=")), id="azure/storage-key-named", edge=rb"(?![A-Za-z0-9+/=])", score=70,
        check=_identifiable,
    ),
    _marked(COSMOS, 88, rb"ACDb", "COSMOS_KEY", _key(76, "ACDb", "MastRW00"), _near("ACDb", 76, "==", "MastRW00"), score=80),
    Rule(
        "azure/cosmos-connection-string",
        COSMOS,
        rb"AccountEndpoint=https://" + _HOST % rb"documents\.azure\.(?:com|cn|us)" + rb"(?::443)?/?;\s{0,2}AccountKey=(?P<secret>[A-Za-z0-9+/]{86}==)(?![A-Za-z0-9+/=])",
        score=85,
        check=_identifiable,
        examples=tuple(
            text(before, "AccountEndpoint=https://", part("host", "acme-orders.documents.azure.com"), ":443/;AccountKey=", part("secret", key), ";", after)
            for before, key, after in (("COSMOS_CONNECTION_STRING=", _OLD_64, "\n"), ('{"CosmosDb": "', _key(76, "ACDb", "MastRO00"), '"}\n'), ("  cosmos: '", _OLD_64, "'\n"))
        ),
        near_misses=(
            text("AccountEndpoint=https://acme.documents.azure.com:443/;AccountKey=", b64(85), "==;\n"),
            text("AccountEndpoint=https://acme.documents.azure.com:443/;AccountKey=", b64(86), "=;\n"),
            text("AccountEndpoint=https://acme.documents.corp.io:443/;AccountKey=", b64(86), "==;\n"),
        ),
    ),
    _marked(BATCH, 88, rb"\+A(?:Ba|MC)", "AZURE_BATCH_KEY", _key(76, "+ABa", "AbAcct00"), _near("+ABa", 76, "==", ""), more=places("AML_KEY", _key(76, "+AMC", "Classic0"))),
    _marked(
        SHARED_ACCESS, 44, rb"(?:\+A(?:Sb|Eh|Rm)|AIoT)", "SERVICEBUS_KEY", _BUS_KEY, _near("+ASb", 33, "=", ""),
        more=(*places("EVENTHUB_KEY", _key(33, "+AEh", "Listen00")), *places("IOTHUB_KEY", _key(33, "AIoT", "IoTHub00"))),
    ),
    Rule(
        "azure/shared-access-connection-string",
        SHARED_ACCESS,
        rb"SharedAccessKey=(?P<secret>[A-Za-z0-9+/]{43}=)(?![A-Za-z0-9+/=])",
        score=80,
        check=_identifiable,
        companions=(Companion("host", rb"(?:sb://|HostName=)(?P<host>[A-Za-z0-9-]{2,60}\.[a-z0-9.-]{6,60})", optional=True),),
        examples=(
            text("SERVICEBUS_CONNECTION_STRING=Endpoint=sb://", part("host", "acme.servicebus.windows.net"), "/;SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=",
                 part("secret", _BUS_KEY), "\n"),
            text('{"IotHub": "HostName=', part("host", "acme.azure-devices.net"), ";SharedAccessKeyName=iothubowner;SharedAccessKey=", part("secret", _OLD_32), '"}\n'),
            text("conn: HostName=", part("host", "acme.azure-devices.net"), ";DeviceId=press-7;SharedAccessKey=", part("secret", _key(33, "AIoT", "Device00")), "\n"),
        ),
        near_misses=(
            text("Endpoint=sb://acme.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=", b64(42), "=\n"),
            text("Endpoint=sb://acme.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=", b64(44), "=\n"),
            text("Endpoint=sb://acme.servicebus.windows.net/;SharedAccessKeyName=", b64(43), "=\n"),
        ),
    ),
    _marked(REDIS, 44, rb"AzCa", "REDIS_PASSWORD", _key(33, "AzCa", "Access00"), _near("AzCa", 33, "=", "")),
    _marked(EVENT_GRID, 44, rb"AZEG", "EVENT_GRID_KEY", _key(33, "AZEG", "Default0"), _near("AZEG", 33, "=", ""), more=(header("aeg-sas-key: ", _key(33, "AZEG", "Default0")),)),
    _marked(REGISTRY, 52, rb"\+ACR", "ACR_PASSWORD", _key(42, "+ACR", "ACRDflt0"), _near("+ACR", 42, "", "")),
    _marked(SEARCH, 52, rb"AzSe", "AZURE_SEARCH_KEY", _key(42, "AzSe", "PAdmin00"), _near("AzSe", 42, "", ""), more=(header("api-key: ", _key(42, "AzSe", "Query000")),)),
    by_name(
        SEARCH, rb"azure[_-]?(?:ai[_-]?)?search[\w.-]{0,20}key", rb"[0-9A-F]{32}", "AZURE_SEARCH_ADMIN_KEY", upper_hex(32), (upper_hex(31), upper_hex(33)),
        id="azure/search-key-old",
    ),
    _marked(APIM, 88, rb"APIM", "APIM_KEY", _key(76, "APIM", "Tenant00"), _near("APIM", 76, "==", "")),
    by_name(
        APIM, rb"ocp-apim-subscription-key", rb"[0-9a-f]{32}", "Ocp-Apim-Subscription-Key", hexa(32), (hexa(31), hexa(33)), id="azure/api-management-key-old",
        more=(header("Ocp-Apim-Subscription-Key: ", hexa(32)),),
    ),
    Rule(
        str(FUNCTIONS),
        FUNCTIONS,
        rb"(?<![A-Za-z0-9_-])(?P<secret>[A-Za-z0-9_-]{44}AzFu[A-Za-z0-9_-]{5}[AQgw](?:==|%3[Dd]%3[Dd]))(?![A-Za-z0-9_=-])",
        anchor=rb"AzFu[A-Za-z0-9_-]{5}[AQgw](?:==|%3[Dd]%3[Dd])",
        score=80,
        check=_identifiable,
        examples=(
            text("https://acme.azurewebsites.net/api/orders?code=", part("secret", _key(44, "AzFu", "Functi00", ALNUM)), "\n"),
            text("https://acme.azurewebsites.net/api/orders?code=", part("secret", _key(44, "AzFu", "Master00", ALNUM).map(lambda t: t.replace(b"=", b"%3D"))), "&x=1\n"),
            header("x-functions-key: ", _key(44, "AzFu", "System00", ALNUM)),
        ),
        near_misses=(
            text("code=", an(43), "AzFu", an(5), "Q==\n"),
            text("code=", an(45), "AzFu", an(5), "Q==\n"),
            text("code=", an(44), "AzFx", an(5), "Q==\n"),
        ),
    ),
    _frame_rule(AI, rb"ACOG", "AZURE_OPENAI_API_KEY", "ACOG", (header("api-key: ", _framed("ACOG")),)),
    _frame_rule(ANNOTATED, rb"(?!ACOG|AZDO)[A-Za-z0-9]{4}", "AZURE_MAPS_KEY", "AZMP", ()),
    Rule(
        "azure/annotated-key-standard",
        ANNOTATED,
        rb"(?<![A-Za-z0-9_-])(?P<secret>[A-Za-z0-9_-]{43}AQJJQA[BC][A-K][A-Za-z0-9_-]{5}AA[A-Za-z0-9_-]{6})(?![A-Za-z0-9_-])",
        anchor=rb"AQJJQA[BC][A-K][A-Za-z0-9_-]{5}AA[A-Za-z0-9_-]{6}",
        examples=(
            assigned("SERVICE_KEY", concat(b64url(43), "AQJJQABA", an(5), "AA", an(6))),
            assigned("ServiceKey", concat(b64url(43), "AQJJQACB", an(5), "AA", an(6)), form='{"{name}": "{value}"}\n'.replace('{"{', '["{').replace('"}\n', '"]\n')),
            header("Authorization: Key ", concat(b64url(43), "AQJJQABA", an(5), "AA", an(6))),
        ),
        near_misses=(
            assigned("SERVICE_KEY", concat(b64url(42), "AQJJQABA", an(5), "AA", an(6))),
            assigned("SERVICE_KEY", concat(b64url(44), "AQJJQABA", an(5), "AA", an(6))),
            assigned("SERVICE_KEY", concat(b64url(43), "AQJJQAZA", an(5), "AA", an(6))),
        ),
    ),
    by_name(
        AI, rb"azure[_-]?(?:openai|oai|ai|cognitive|speech|translator|vision|language)[\w.-]{0,24}key|azure_api_key", rb"[0-9a-f]{32}", "AZURE_OPENAI_API_KEY", hexa(32),
        (hexa(31), hexa(33), an(32)), id="azure/ai-services-key-old", score=65,
        companions=(Companion("host", rb"https://(?P<host>[A-Za-z0-9-]{2,60}\.(?:openai\.azure|cognitiveservices\.azure|api\.cognitive\.microsoft)\.com)", optional=True),),
        more=(text('AZURE_OPENAI_ENDPOINT="https://', part("host", "acme.openai.azure.com"), '/"\nAZURE_OPENAI_KEY="', part("secret", hexa(32)), '"\n'),),
    ),
    Rule(
        str(APP_CONFIGURATION),
        APP_CONFIGURATION,
        rb"Endpoint=https://" + _HOST % rb"azconfig\.io" + rb";Id=(?P<id>[A-Za-z0-9+/=:._-]{4,60});Secret=(?P<secret>[A-Za-z0-9+/]{40,96}={0,2})(?![A-Za-z0-9+/=])",
        score=85,
        examples=tuple(
            text(before, "Endpoint=https://", part("host", "acme.azconfig.io"), ";Id=", part("id", an(4)), ";Secret=", part("secret", secret), after)
            for before, secret, after in (("APPCONFIG=", _OLD_32, "\n"), ('{"AppConfig": "', _framed("AZAC"), '"}\n'), ("  conn: '", _OLD_32, "'\n"))
        ),
        near_misses=(
            text("Endpoint=https://acme.azconfig.io;Id=abcd;Secret=", b64(30), "\n"),
            text("Endpoint=https://acme.corp.io;Id=abcd;Secret=", b64(43), "=\n"),
            text("Endpoint=https://acme.azconfig.io;Secret=", b64(43), "=\n"),
        ),
    ),
    Rule(
        str(ACCESS_KEY),
        ACCESS_KEY,
        rb"(?i:endpoint=https://)" + _HOST % rb"(?:[a-z]{2,12}\.)?(?:communication\.azure\.com|service\.signalr\.net|webpubsub\.azure\.com)"
        + rb"/?;(?i:accesskey=)(?P<secret>[A-Za-z0-9+/]{40,96}={0,2})(?![A-Za-z0-9+/=])",
        score=85,
        examples=tuple(
            text(before, part("host", host), key_name, part("secret", secret), after)
            for before, host, key_name, secret, after in (
                ("ACS=endpoint=https://", "acme.communication.azure.com", "/;accesskey=", _OLD_64, "\n"),
                ('{"Azure:SignalR": "Endpoint=https://', "acme.service.signalr.net", ";AccessKey=", _OLD_32, ';Version=1.0;"}\n'),
                ("  pubsub: Endpoint=https://", "acme.webpubsub.azure.com", ";AccessKey=", _framed("AWPS"), ";Version=1.0;\n"),
            )
        ),
        near_misses=(
            text("endpoint=https://acme.communication.azure.com/;accesskey=", b64(30), "\n"),
            text("endpoint=https://acme.communication.corp.io/;accesskey=", b64(86), "==\n"),
            text("endpoint=https://acme.communication.azure.com/;accessname=", b64(86), "==\n"),
        ),
    ),
    Rule(
        str(CLIENT_SECRET),
        CLIENT_SECRET,
        rb"(?<![A-Za-z0-9._~-])(?P<secret>[A-Za-z0-9._~-]{3}(?:8Q~[A-Za-z0-9._~-]{34}|7Q~[A-Za-z0-9._~-]{31}))(?![A-Za-z0-9_~-])",
        anchor=rb"[78]Q~[A-Za-z0-9._~-]{31}",
        score=80,
        check=_entra,
        companions=(
            Companion("client_id", named(_CLIENT_ID, UUID, part=b"client_id"), within=500, optional=True),
            Companion("tenant_id", named(rb"tenant(?:[_-]?id)?", UUID, part=b"tenant_id"), within=500, optional=True),
        ),
        examples=(
            *places("AZURE_CLIENT_SECRET", _SECRET_8),
            assigned("ARM_CLIENT_SECRET", _SECRET_7, form='export {name}="{value}"\n'),
            text('{"appId": "', part("client_id", uuid4()), '", "password": "', part("secret", _SECRET_8), '", "tenant": "', part("tenant_id", uuid4()), '"}\n'),
            text("AZURE_TENANT_ID=", part("tenant_id", uuid4()), "\nAZURE_CLIENT_ID=", part("client_id", uuid4()), "\nAZURE_CLIENT_SECRET=", part("secret", _SECRET_8), "\n"),
        ),
        near_misses=(
            *wrong("AZURE_CLIENT_SECRET", concat(an(2), "8Q~", an(34)), concat(an(3), "8Q~", an(33)), concat(an(3), "8Q~", an(35)), concat(an(3), "6Q~", an(34)), concat(an(3), "8Q-", an(34))),
        ),
    ),
    Rule(
        str(SAS),
        SAS,
        rb"(?<![A-Za-z0-9])(?P<secret>(?:[a-z]{2,5}=[A-Za-z0-9%:+/._-]{1,120}" + _SEP + rb"){0,8}sv=20[0-9]{2}-[0-9]{2}-[0-9]{2}" + _QUERY + rb"{0,600}?(?:&|;|u0026)sig=[A-Za-z0-9%+/]{43,64}"
        rb"(?:%3[Dd]|=)?(?:" + _SEP + rb"[a-z]{2,5}=[A-Za-z0-9%:+/._-]{1,120}){0,8})(?![A-Za-z0-9%+/])",
        anchor=rb"sv=20[0-9]{2}-[0-9]{2}-[0-9]{2}(?:&|\\u0026)",
        score=70,
        window=1600,
        check=_ends,
        examples=(
            text("https://acme.blob.core.windows.net/backups/db.bak?", part("secret", _sas()), "\n"),
            text("SAS_TOKEN='?", part("secret", _sas("sp=r&st=2026-01-01T00:00:00Z&", "2099-01-01T00:00:00Z", concat(b64(43), "="))), "'\n"),
            text("BlobEndpoint=https://acme.blob.core.windows.net/;SharedAccessSignature=", part("secret", _sas()), "\n"),
            text('<a href="https://acme.blob.core.windows.net/a.zip?', part("secret", _sas().map(lambda t: t.replace(b"&", b"&amp;"))), '">\n'),
        ),
        near_misses=(
            text("https://acme.blob.core.windows.net/backups/db.bak?", _sas(end="2019-01-01T00%3A00%3A00Z"), "\n"),
            text("https://acme.blob.core.windows.net/backups/db.bak?", _sas(signature=an(30)), "\n"),
            text("https://acme.blob.core.windows.net/backups/db.bak?", _sas().map(lambda t: t.replace(b"sig=", b"tag=")), "\n"),
            text("https://acme.blob.core.windows.net/backups/db.bak?", _sas().map(lambda t: t.replace(b"sv=", b"xy=")), "\n"),
        ),
    ),
    Rule(
        "azure/messaging-signature",
        SAS,
        rb"SharedAccessSignature (?P<secret>sr=[A-Za-z0-9%:/._-]{4,300}&sig=[A-Za-z0-9%+/]{43,64}(?:%3[Dd]|=)?&(?:se=[0-9]{9,11}&?|skn=[A-Za-z0-9_.-]{1,60}&?){0,2})",
        anchor=rb"SharedAccessSignature sr=",
        score=70,
        check=_ends,
        examples=tuple(
            text(before, "SharedAccessSignature ", part("secret", concat("sr=acme.servicebus.windows.net%2Forders&sig=", an(43), "%3D&se=4102444800&skn=send")), after)
            for before, after in (("curl -H 'Authorization: ", "'\n"), ('token = "', '"\n'), ("SAS=", "\n"))
        ),
        near_misses=(
            text("SharedAccessSignature sr=acme.servicebus.windows.net%2Forders&sig=", an(30), "%3D&se=4102444800&skn=send\n"),
            text("SharedAccessSignature sr=acme.servicebus.windows.net%2Forders&sig=", an(43), "%3D&se=1400000000&skn=send\n"),
            text("SharedAccessSignature sr={uri}&sig={signature}&se={expiry}&skn={name}\n"),
        ),
    ),
    Rule(
        str(PUBLISH),
        PUBLISH,
        rb"userPWD=\\?\"(?P<secret>[A-Za-z0-9]{60})\\?\"",
        score=80,
        companions=(Companion("user", rb"userName=\\?\"(?P<user>[A-Za-z0-9$\\._-]{2,90})\\?\"", optional=True),),
        examples=tuple(
            text('<publishProfile publishMethod="', method, '" publishUrl="acme.scm.azurewebsites.net:443" userName="', part("user", "$acme"), '" userPWD="', part("secret", an(60)), '" />\n')
            for method in ("MSDeploy", "FTP", "ZipDeploy")
        ),
        near_misses=(
            text('userName="$acme" userPWD="', an(59), '"\n'),
            text('userName="$acme" userPWD="', an(61), '"\n'),
            text('userName="$acme" userPIN="', an(60), '"\n'),
        ),
    ),
)  # fmt: skip
