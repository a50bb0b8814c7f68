"""MongoDB passwords.

What it is: the password of a database user in a connection string, `mongodb://` or `mongodb+srv://`.
Where it is used: `MONGODB_URI`, `MONGO_URL`, `.env`, compose files, application settings, notebooks.
What an attacker can do: read and change the databases that the user's roles cover; Atlas clusters are reachable from the whole
  internet if the access list says 0.0.0.0/0.
How to replace it: db.updateUser, or for Atlas the page Database Access; a second user that takes over avoids an outage. Old
  connections keep their rights until they are dropped.
References: https://www.mongodb.com/docs/manual/reference/connection-string/  https://www.mongodb.com/docs/atlas/security-add-mongodb-users/
"""

from __future__ import annotations

from keyward.plugin import Kind

from ._passwords import database_kind, url_rule, variable_rule

MONGODB = Kind("mongodb/password")

KINDS = (
    database_kind(MONGODB, "MongoDB password", "db.updateUser(…, {pwd: …}), or Database Access in Atlas.",
                  "https://www.mongodb.com/docs/manual/reference/method/db.updateUser/"),
)  # fmt: skip

RULES = (
    url_rule("mongodb/url", MONGODB, rb"mongodb(?:\+srv)?", "mongodb+srv", names=("MONGODB_URI", "uri"), port="", tail="/orders?retryWrites=true"),
    variable_rule("mongodb/variable", MONGODB, rb"(?i:MONGO(?:DB)?_(?:[a-z]{2,12}_){0,2}(?:PASSWORD|PASS|PWD))", "MONGO_INITDB_ROOT_PASSWORD", "example"),
)  # fmt: skip
