"""A program that answers as OpenClaw does to the few commands that the consumers call; what it was asked lies in `calls`."""

from __future__ import annotations

CLAW = r"""
import json, os, sqlite3, sys
state = os.environ["OPENCLAW_STATE_DIR"]
words, config = sys.argv[1:], os.path.join(state, "openclaw.json")
open(os.path.join(state, "calls"), "a").write(" ".join(words) + "\n")
def merged(one, other):
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return other
    return {**one, **{key: merged(one.get(key), value) for key, value in other.items()}}
if words[:2] == ["config", "patch"]:
    patch = json.load(sys.stdin)
    if "gateway" in patch:
        sys.exit("Dry run failed: config schema validation failed.")
    if "--dry-run" in words:
        sys.exit("Dry run failed: 1 SecretRef assignment(s) could not be resolved.")
    whole = merged(json.load(open(config)), patch)
    json.dump(whole, open(config, "w"))
elif words[:3] == ["secrets", "store", "set"]:
    os.makedirs(os.path.join(state, "state"), exist_ok=True)
    with sqlite3.connect(os.path.join(state, "state", "openclaw.sqlite")) as database:
        database.execute("CREATE TABLE IF NOT EXISTS secret_store_entries"
                         " (scope_kind, scope_id, name, value, deleted_at_ms, PRIMARY KEY (scope_kind, scope_id, name))")
        database.execute("REPLACE INTO secret_store_entries VALUES ('team', '', ?, ?, NULL)", (words[3], sys.stdin.read()))
elif words[:2] == ["secrets", "reload"]:
    print(json.dumps({"ok": True, "warningCount": int(os.path.exists(os.path.join(state, "unreadable")))}))
"""
