"""MongoDB Atlas API keys and service accounts.

What it is: the client secret of a service account (mdb_sa_sk_) with its client id, and the older programmatic keys: a public
  key of eight letters with a private key that is a UUID.
Where it is used: the atlas command line (`~/.config/atlascli/config.toml`), Terraform, the Kubernetes operator, CI.
What an attacker can do: what the roles allow: create database users and open the network list, and so reach the data; read
  backups; create and delete clusters.
How to replace it: add a second secret to the service account, deploy it, delete the old one; create a new programmatic key,
  deploy it, delete the old one.
References: https://www.mongodb.com/docs/atlas/configure-api-access/
  https://www.mongodb.com/docs/atlas/api/service-accounts-overview/
"""

from __future__ import annotations

from keyward.plugin import Companion, Kind, Rule
from keyward.plugin.shapes import LOWER, assigned, b64url, chars, concat, hexa, part, text, uuid4

from ._cloud import SLUG, UUID, beside, by_prefix, credential, named

SERVICE_ACCOUNT = Kind("mongodb-atlas/service-account-secret")
API_KEY = Kind("mongodb-atlas/programmatic-key")

_URL = "https://cloud.mongodb.com/v2#/account/organizations"
_DOC = "https://www.mongodb.com/docs/atlas/configure-api-access/"

KINDS = (
    credential(SERVICE_ACCOUNT, "MongoDB Atlas service account secret", "critical", _URL, "Add a second secret to the service account under Access Manager, Applications.",
               "Update what uses the old one.", "Delete the old secret.", see=_DOC, public=("id",)),
    credential(API_KEY, "MongoDB Atlas programmatic API key", "critical", _URL, see=_DOC, public=("id",)),
)  # fmt: skip

_ID = Companion("id", rb"(?<![A-Za-z0-9])(?P<id>mdb_sa_id_[0-9a-f]{24})(?![A-Za-z0-9])", optional=True)
_PUBLIC = rb"public[_-]?(?:api[_-]?)?key"
_SECRET = concat("mdb_sa_sk_", b64url(40))

RULES = (
    by_prefix(
        SERVICE_ACCOUNT, rb"mdb_sa_sk_[A-Za-z0-9_-]{40}", "MONGODB_ATLAS_CLIENT_SECRET", _SECRET,
        (concat("mdb_sa_sk_", b64url(39)), concat("mdb_sa_sk_", b64url(41)), concat("mdb_sa_sk-", b64url(40))), edge=SLUG, score=85, companions=(_ID,),
        more=(text('client_id = "', part("id", concat("mdb_sa_id_", hexa(24))), '"\nclient_secret = "', part("secret", _SECRET), '"\n'),),
    ),
    Rule(
        "mongodb-atlas/programmatic-key-named",
        API_KEY,
        named(rb"(?:mongo(?:db)?|atlas|mcli)[\w.-]{0,16}private[_-]?(?:api[_-]?)?key", UUID),
        score=70,
        companions=(beside("id", _PUBLIC, rb"[a-z]{8}"),),
        examples=(
            assigned("MONGODB_ATLAS_PRIVATE_KEY", uuid4()),
            text("MCLI_PUBLIC_API_KEY=", part("id", chars(LOWER, 8)), "\nMCLI_PRIVATE_API_KEY=", part("secret", uuid4()), "\n"),
            assigned("atlas_private_key", uuid4(), form='{name} = "{value}"\n'),
        ),
        near_misses=(
            assigned("MONGODB_ATLAS_PRIVATE_KEY", hexa(32)),
            assigned("MONGODB_ATLAS_PROJECT_ID", uuid4()),
            assigned("MONGODB_ATLAS_PRIVATE_KEY", concat(hexa(8), "-", hexa(4), "-", hexa(4), "-", hexa(4), "-", hexa(13))),
        ),
    ),
    Rule(
        "mongodb-atlas/programmatic-key-pair",
        API_KEY,
        named(_PUBLIC, rb"[a-z]{8}", part=b"id"),
        score=60,
        alone=-80,
        companions=(beside("secret", rb"private[_-]?(?:api[_-]?)?key", UUID, optional=False),),
        examples=(
            text('[default]\nprivate_api_key = "', part("secret", uuid4()), '"\npublic_api_key = "', part("id", chars(LOWER, 8)), '"\n'),
            text('provider "mongodbatlas" {\n  public_key = "', part("id", chars(LOWER, 8)), '"\n  private_key = "', part("secret", uuid4()), '"\n}\n'),
            text('{"publicKey": "', part("id", chars(LOWER, 8)), '", "privateKey": "', part("secret", uuid4()), '"}\n'),
        ),
        near_misses=(
            text('private_api_key = "', uuid4(), '"\n'),
            text('public_key = "', chars(LOWER, 9), '"\nprivate_key = "', uuid4(), '"\n'),
            text('public_key = "', chars(LOWER, 8), '"\nprivate_key = "', hexa(32), '"\n'),
        ),
    ),
)  # fmt: skip
