"""Sessions of browsers: states and recordings of automated ones, which are plain files; and people's profiles, whose secrets the browser
encrypts.

A state is a login: whoever has the file is logged in. It is deleted, and the session ended, rather than scrubbed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from keyward.scan.roles import ECHO
from keyward.scan.sources.host import Host, Spot, Tool

_LOGOUT = "end the session, then delete the file"
_ENCRYPTED = "not scrubbed: encrypted by the browser"

_CHROMIUM = {
    "google-chrome": "Google/Chrome",
    "google-chrome-beta": "Google/Chrome Beta",
    "chromium": "Chromium",
    "microsoft-edge": "Microsoft Edge",
    "BraveSoftware/Brave-Browser": "BraveSoftware/Brave-Browser",
    "vivaldi": "Vivaldi",
    "opera": "com.operasoftware.Opera",
}
"""Folders of profiles: below `~/.config`, and below `~/Library/Application Support` on macOS."""


def _playwright(host: Host) -> Iterator[Spot]:
    for pattern in ("storage_state*.json", "storageState*.json", "*storage-state*.json", "*.storage.json", ".auth/*.json", "auth.json",
                    "playwright/.auth/*.json", "*cookies*.json", "browser-state/*.json", "*-state.json"):  # fmt: skip
        yield Spot("", pattern, "Playwright storage state", _LOGOUT, ECHO)
    yield Spot("", "test-results/**/trace.zip", "Playwright trace", "delete the file", ECHO)
    yield Spot("", "playwright-mcp/**/*.json", "JSON", _LOGOUT, ECHO)


def _cookies(host: Host) -> Iterator[Spot]:
    for pattern in ("cookies.txt", "cookies-*.txt", "*_cookies.txt", "*.cookies.txt", "cookie.txt", "cookies*.txt", "cookiejar", ".cookies",
                    ".gitcookies"):  # fmt: skip
        yield Spot("", pattern, "cookies.txt (Netscape)", _LOGOUT, ECHO)


def _har(host: Host) -> Iterator[Spot]:
    for pattern in ("*.har", "*.har.zip", "*.har.gz"):
        yield Spot("", pattern, "HAR recording", "delete the file, or the value alone in place", ECHO)


def _chromium(host: Host) -> Iterator[Spot]:
    reason = "encrypted by the browser"
    folders = [os.path.join(host.application_support, mac if host.mac else linux) for linux, mac in _CHROMIUM.items()]
    folders += [os.path.join(host.home, "snap", "chromium", "common", "chromium")]
    for folder in folders:
        for name in ("Login Data", "Login Data For Account", "Cookies", "Network/Cookies", "Web Data"):
            for pattern in (name, f"{name}-journal", f"{name}-wal"):
                yield Spot(folder, f"*/{pattern}", "SQLite, values encrypted", _ENCRYPTED, ECHO, opaque=reason)
        # what pages keep is LevelDB, compressed in blocks
        for pattern in ("*/Local Storage/leveldb/*.l[do][bg]", "*/IndexedDB/**/*.l[do][bg]", "*/Session Storage/*.l[do][bg]"):
            yield Spot(folder, pattern, "LevelDB, compressed blocks", _LOGOUT, ECHO, opaque="LevelDB, compressed")
        yield Spot(folder, "*/Sessions/*", "Chromium session", _LOGOUT, ECHO)


def _firefox(host: Host) -> Iterator[Spot]:
    folders = (
        [os.path.join(host.application_support, "Firefox", "Profiles")]
        if host.mac
        else [os.path.join(host.home, *parts) for parts in
              ((".mozilla", "firefox"), ("snap", "firefox", "common", ".mozilla", "firefox"), (".librewolf",), (".zen",),
               (".var", "app", "org.mozilla.firefox", ".mozilla", "firefox"))]
    )  # fmt: skip
    for folder in folders:
        for name in ("logins.json", "logins-backup.json", "key4.db", "key3.db", "signedInUser.json"):
            reason = "encrypted by the browser"
            yield Spot(folder, f"*/{name}", "JSON or SQLite, values encrypted", _ENCRYPTED, ECHO, opaque=reason)
        # Firefox does not encrypt its cookies and what pages keep
        yield Spot(folder, "*/cookies.sqlite*", "SQLite", _LOGOUT, ECHO)
        yield Spot(folder, "*/webappsstore.sqlite*", "SQLite", _LOGOUT, ECHO)
        yield Spot(folder, "*/formhistory.sqlite*", "SQLite", "through the browser", ECHO)
        yield Spot(folder, "*/places.sqlite*", "SQLite", "through the browser", ECHO)
        yield Spot(folder, "*/storage/default/*/ls/data.sqlite*", "SQLite, values compressed", _LOGOUT, ECHO)
        yield Spot(folder, "*/sessionstore*.jsonlz4", "Mozilla LZ4", _LOGOUT, ECHO, opaque="compressed by Firefox (mozLz4)")


TOOLS: tuple[Tool, ...] = (
    Tool("playwright", "browser", "Playwright", _playwright),
    Tool("cookies", "browser", "cookies.txt", _cookies),
    Tool("har", "browser", "HAR recordings", _har),
    Tool("chromium", "browser", "Chrome, Chromium, Edge, Brave, Vivaldi, Opera", _chromium),
    Tool("firefox", "browser", "Firefox", _firefox),
)
