"""Histories, recordings of terminals, exports, sessions of browsers and logs: each byte for byte as its tool writes it, with the value where the
format hides it. What a tool of this machine can write (bash, Python's readline, SQLite) is written by it."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import shutil
import struct
import subprocess
from collections.abc import Callable

from keyward.testing.planted_home import MOMENT, Home, exports_and_browsers
from keyward.testing.planted_home.planting import encrypted, sqlite_file, text_file, zipped

ISO = "2026-01-02T03:04:05.678Z"
NANO = "2026-01-02T03:04:05.000000006Z"
RUNNER = "2026-01-02T03:04:05.1234567Z "


def plant(home: Home) -> None:
    """All of them."""
    for group in (
        _shells,
        _databases,
        _repls,
        _editors,
        _terminals,
        _plain_logs,
        _packed_logs,
        _records,
    ):
        group(home)
    exports_and_browsers.plant(home)


def metafied(text: str) -> bytes:
    """As zsh writes a command (Src/utils.c, `metafy`; Src/hist.c, `savehistfile`)."""
    out = b""
    for byte in text.encode():
        out += bytes((0x83, byte ^ 0x20)) if byte == 0 or 0x83 <= byte <= 0xA2 else bytes((byte,))
    return out.replace(b"\n", b"\\\n")


def vis(text: str) -> str:
    """As libedit writes a line (strvis with VIS_WHITE)."""
    return "".join({" ": "\\040", "\t": "\\011", "\n": "\\012", "\\": "\\\\"}.get(c, c) for c in text)


def _shells(home: Home) -> None:
    dated, several = (
        home.canary("bash/one line", ".bash_history", where="entry 2"),
        home.canary("bash/lithist", ".bash_history", where="entry 3"),
    )
    _bash(home, ["ls -la", f"export GITHUB_TOKEN={dated}", f"cat > key <<EOF\n{several}\nEOF"])
    text_file(home, "bash/no times", ".bash_history-1234.tmp", lambda key: f"ls\ncurl -H 'Authorization: token {key}' x\n")
    extended = home.canary("zsh/extended", ".zsh_history", where="entry 1")
    meta = home.canary("zsh/metafied", ".zsh_history", where="entry 2")
    joined = home.canary("zsh/joined word", ".zsh_history", where="entry 3")
    heredoc = home.canary("zsh/lines", ".zsh_history", where="entry 4")
    commands = (
        f"export T={extended}",
        f"echo 日本 {meta} 日本",
        f"export T={joined[:20]}\\\n{joined[20:]}",
        f"cat <<E\n{heredoc}\nE",
    )
    home.write(".zsh_history", b"".join(b": %d:0;%s\n" % (MOMENT + n, metafied(each)) for n, each in enumerate(commands)))
    text_file(home, "zsh/zhistory", ".zhistory", lambda key: f"gh auth login --with-token <<< {key}\n")
    text_file(
        home,
        "fish/behind a newline",
        ".local/share/fish/fish_history",
        where="entry 2",
        make=lambda key: (
            f"- cmd: ls\n  when: {MOMENT}\n- cmd: cat > k <<E\\n{key}\\nE\n  when: {MOMENT + 9}\n  paths:\n    - k\n"
        ),
    )
    text_file(
        home,
        "powershell/several lines",
        ".local/share/powershell/PSReadLine/ConsoleHost_history.txt",
        lambda key: f'Invoke-RestMethod x `\n  -Headers @{{ Authorization = "token {key}" }}\n',
    )
    text_file(home, "nushell/lines", ".config/nushell/history.txt", lambda key: f"ls<\\n>http get -H [x {key}]<\\n>done\nls\n")


def _bash(home: Home, commands: list[str]) -> None:
    """Written by bash itself, else as it writes."""
    path = home.path(".bash_history")
    binary = shutil.which("bash")
    if binary is None:
        path.write_text("".join(f"#{MOMENT + n}\n{command}\n" for n, command in enumerate(commands)))
        return
    script = 'HISTFILE=$1; HISTTIMEFORMAT="%F "; shopt -s cmdhist lithist; set +o history; while IFS= read -r -d "" x; do history -s -- "$x"; done; history -w'
    subprocess.run(
        [binary, "--norc", "-c", script, "bash", str(path)],
        input="\0".join([*commands, ""]).encode(),
        check=True,
        env={"PATH": "/usr/bin:/bin"},
    )


def _databases(home: Home) -> None:
    path = ".config/nushell/history.sqlite3"
    sqlite_file(
        home,
        path,
        "CREATE TABLE history (id integer primary key autoincrement, command_line text not null, start_timestamp integer, "
        "session_id integer, hostname text, cwd text, duration_ms integer, exit_status integer, more_info text)",
        "INSERT INTO history (command_line, start_timestamp) VALUES (?, ?)",
        [(f"http get -H [Authorization {home.canary('nushell/sqlite', path, where='history')}]", MOMENT * 1000)],
    )
    path = ".local/share/atuin/history.db"
    sqlite_file(
        home,
        path,
        "CREATE TABLE history (id text primary key, timestamp integer not null, duration integer not null, exit integer not null, "
        "command text not null, cwd text not null, session text not null, hostname text not null, deleted_at integer)",
        "INSERT INTO history VALUES (?, ?, 1, 0, ?, '/', 's', 'h', ?)",
        [
            ("a1", MOMENT * 10**9, f"export T={home.canary('atuin/history', path, where='history')}", None),
            ("a2", MOMENT * 10**9, f"export T={home.canary('atuin/deleted', path, where='history')}", MOMENT * 10**9),
        ],
    )
    path = ".local/share/atuin/records.db"
    key = home.canary("atuin/records", path, opaque=True)
    sqlite_file(
        home,
        path,
        "CREATE TABLE store (id text primary key, idx integer, host text, tag text, timestamp integer, version text, data blob, cek blob)",
        "INSERT INTO store VALUES ('r1', 0, 'h', 'history', 0, 'v0', ?, ?)",
        [(encrypted(key), encrypted("k"))],
    )


def _repls(home: Home) -> None:
    path = ".python_history"
    key, later = home.canary("python/readline", path), home.canary("python/pyrepl", path)
    home.write(path, f'import os\nos.environ["T"] = "{key}"\ndef f():\r\n    return "{later}"\n')
    text_file(home, "python/libedit", ".python_history.old", lambda key: "_HiStOrY_V2_\n" + vis(f"login {key} 1") + "\n")
    text_file(home, "psql/0x01", ".psql_history", lambda key: f"ALTER ROLE me\x01PASSWORD\x01'{key}';\n")
    text_file(
        home, "mysql/octal", ".mysql_history", lambda key: "_HiStOrY_V2_\n" + vis(f"select '1', \\\n {key} from t;") + "\n"
    )
    text_file(home, "mariadb/octal", ".mariadb_history", lambda key: "_HiStOrY_V2_\n" + vis(f"SET @t :=\t{key} ;") + "\n")
    for place, path in (
        ("sqlite", ".sqlite_history"), ("redis-cli", ".rediscli_history"), ("mongosh", ".mongodb/mongosh/mongosh_repl_history"),
        ("node", ".node_repl_history"), ("irb", ".irb_history"), ("pry", ".local/share/pry/pry_history"), ("R", ".Rhistory"),
    ):  # fmt: skip
        text_file(home, place, path, lambda key: f"first line\nset token '{key}'\n")
    text_file(
        home,
        "julia",
        ".julia/logs/repl_history.jl",
        lambda key: f'# time: 2026-01-02 03:04:05 CET\n# mode: julia\n\tENV["T"] = "{key}"\n',
    )


def _editors(home: Home) -> None:
    path = ".viminfo"
    command, register, newline = (home.canary(f"vim/{each}", path) for each in ("command", "long register", "behind a newline"))
    line = f"{'x' * 690} {register} " + "y" * 60
    rest = f'"{line}"'
    cut = 700  # inside the value
    home.write(path, "# This viminfo file was generated by Vim 9.0.\n# You may edit it if you're careful!\n\n# Viminfo version\n|1,4\n\n"
               "# Value of 'encoding' when this file was written\n*encoding=utf-8\n\n\n# Command Line History (newest to oldest):\n"
               f':let $T="{command}"\n|2,0,{MOMENT},,"let $T=\\"{command}\\""\n:let $U="x\x16n{newline}"\n|2,0,{MOMENT},,"let $U=\\"x\\n{newline}\\""\n\n# Registers:\n'
               f'""a\tLINE\t0\n\t\x16{len(line) + 1}\n<{line}\n|3,1,10,1,1,0,{MOMENT},>{len(rest) - 1}\n|<{rest[:cut]}\n|<{rest[cut:]}\n')  # fmt: skip
    key = home.canary("neovim/shada", ".local/state/nvim/shada/main.shada")
    text = f"let $T='{key}'".encode()
    entry = b"\x94\x00\xc4" + bytes((len(text),)) + text + b"\xc0\xc0"
    home.write(".local/state/nvim/shada/main.shada", b"\x04\xce" + struct.pack(">I", MOMENT) + bytes((len(entry),)) + entry)
    path = "projects/shop/.settings.py.swp"
    key = home.canary("vim/swap", path)
    block = b"b0VIM 9.0\0".ljust(4096, b"\0") + b"ad".ljust(4096 - 60, b"\0") + f"T = '{key}'\0".encode().rjust(60, b"\0")
    home.write(path, block)
    path = ".local/state/nvim/undo/%home%me%settings.py"
    text_file(
        home,
        "neovim/undo",
        path,
        lambda key: b"Vim\x9fUnDo\xe5\x00\x03" + b"\0" * 40 + b"\x00\x00\x00\x33" + f"T = '{key}'".encode() + b"\xe7\xaa",
    )
    text_file(home, "editor/backup", "projects/shop/settings.py~", lambda key: f"T = '{key}'\n")
    text_file(home, "less/search", ".lesshst", lambda key: f'.less-history-file:\n.search\n"{key}\n.shell\n')
    text_file(home, "wget/log", "wget-log", lambda key: f"--2026-01-02 03:04:05--  https://me:{key}@example.org/x\n")


def _typed(text: str) -> bytes:
    """With a slip of the fingers each seventh character, as readline echoes it."""
    out = b""
    for number, character in enumerate(text):
        out += b"q\x08\x1b[K" if number % 7 == 3 else b""
        out += character.encode()
    return out


def _terminals(home: Home) -> None:
    text_file(
        home,
        "script/backspaces",
        "typescript",
        lambda key: (
            b'Script started on 2026-01-02 03:04:05+00:00 [TERM="xterm" COLUMNS="80" LINES="24"]\n\x1b[?2004h$ export T='
            + _typed(key)
            + b'\r\n\x1b[?2004l\r\nScript done on 2026-01-02 03:04:06+00:00 [COMMAND_EXIT_CODE="0"]\n'
        ),
    )
    text_file(
        home,
        "tmux/pipe-pane",
        "tmux-logs/main.log",
        lambda key: f"\x1b]0;me\x07$ \x1b[32mtoken\x1b[0m \x1b[1;33m{key[:9]}\x1b[22m{key[9:]}\x1b[0m\r\n",
    )
    text_file(home, "screen/log", "screenlog.0", lambda key: f"\x1b[Htoken \x1b[1m{key}\x1b[0m \x1b[K\r\n")
    text_file(home, "tmux/at the margin", "tmux-main.log", lambda key: f"$ export T={key[:30]} \r{key[30:]}\r\n")
    for version, header in (
        (2, f'{{"version": 2, "width": 80, "height": 24, "timestamp": {MOMENT}}}'),
        (3, f'{{"version":3,"term":{{"cols":80,"rows":24}},"timestamp":{MOMENT}}}'),
    ):
        key = home.canary(f"asciinema/v{version}", f"recordings/demo{version}.cast")
        typed = "".join(f'[{number}.5, "o", {json.dumps(each)}]\n' for number, each in enumerate(f"$ T={key}"))
        home.write(f"recordings/demo{version}.cast", f'{header}\n{typed}[99.0, "o", "\\r\\n\\u001b[?2004l"]\n')


def _plain_logs(home: Home) -> None:
    text_file(
        home,
        "npm/log",
        ".npm/_logs/2026-01-02T03_04_05_678Z-debug-0.log",
        lambda key: f"0 verbose cli npm\n7 silly config //host/:_authToken={key}\n",
    )
    text_file(
        home,
        "pip/log",
        ".pip/pip.log",
        lambda key: f"2026-01-02T03:04:05,678 Looking in indexes: https://me:{key}@host/simple\n",
    )
    text_file(home, "cache/log", ".cache/tool/log/today", lambda key: f"[2026-01-02 03:04:05] token {key}\n")
    text_file(home, "log/plain", "logs/app.log", lambda key: f"2026-01-02 03:04:05,678 INFO token={key}\n")
    text_file(home, "log/rotated", "logs/app.log.1", lambda key: f"2026-01-01 03:04:05,678 INFO token={key}\n")
    text_file(home, "log/colours", "logs/dev.log", lambda key: f"\x1b[36mtoken\x1b[39m \x1b[1m{key}\x1b[0m\n")
    text_file(
        home,
        "log/json",
        "logs/pino.log",
        lambda key: json.dumps({"level": 30, "time": MOMENT * 1000, "msg": f"set\n{key}"}) + "\n",
        where="msg",
    )
    text_file(
        home,
        "log/request line",
        "logs/access.log",
        lambda key: (
            f'::1 - - [02/Jan/2026:03:04:05 +0000] "GET /cb?next=%2Fapp%3Ftoken%3D{key}%26x HTTP/1.1" 200 5 "-" "curl"\n'
        ),
    )
    text_file(
        home,
        "log/referer",
        "logs/access.log.1",
        lambda key: f'::1 - - [02/Jan/2026:03:04:05 +0000] "GET / HTTP/1.1" 200 5 "https://h/?u=%3Ft%3D{key}" "curl"\n',
    )
    text_file(
        home,
        "syslog/sudo",
        "logs/auth.log",
        lambda key: f"Jan  2 03:04:05 host sudo:  me : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/env T={key} x\n",
    )
    text_file(home, "xsession", ".xsession-errors", lambda key: f"started with T={key}\n")
    text_file(home, "strace", "strace.out", lambda key: f'write(1, "token {key}\\n", 47) = 47\n')
    text_file(
        home,
        "core dump",
        "core",
        lambda key: b"\x7fELF\x02\x01\x01" + b"\0" * 9 + b"\x04\0\x3e\0" + b"\0" * 100 + f"T={key}".encode() + b"\0\0",
    )


def _packed_logs(home: Home) -> None:
    lines = "2026-01-01 03:04:05,678 INFO token={}\n"
    pack: dict[str, Callable[[bytes], bytes]] = {
        "gz": lambda data: gzip.compress(data, mtime=MOMENT), "xz": lzma.compress, "bz2": bz2.compress, "zst": _zstandard,
    }  # fmt: skip
    for ending, packed in pack.items():
        path = f"logs/app.log.{len(ending)}.{ending}"
        home.write(path, packed(lines.format(home.canary(f"log/{ending}", path)).encode()))


def _zstandard(data: bytes) -> bytes:
    """One frame with one raw block (RFC 8878), as any reader takes it."""
    size = len(data)
    frame = bytes((0x60,)) + struct.pack("<H", size - 256) if size >= 256 else bytes((0x20, size))
    return b"\x28\xb5\x2f\xfd" + frame + struct.pack("<I", size << 3 | 1)[:3] + data


def _docker(*pieces: str, stream: str = "stdout") -> str:
    """Records as Docker's json-file driver writes them: Go's JSON escapes `&`, `<` and `>`."""
    out = ""
    for piece in pieces:
        text = json.dumps(piece).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
        out += f'{{"log":{text},"stream":"{stream}","time":"{NANO}"}}\n'
    return out


def _records(home: Home) -> None:
    folder = ".local/share/docker/containers/0123456789ab/0123456789ab-json.log"
    text_file(
        home,
        "docker/16 KiB",
        folder,
        where="stdout",
        make=lambda key: (
            _docker("start\n")
            + _docker("x" * (16384 - 21) + " " + key[:20])
            + _docker("aside\n", stream="stderr")
            + _docker(key[20:] + " end\n")
        ),
    )
    text_file(home, "docker/escaped", f"{folder}.1", lambda key: _docker(f"GET /?a=1&{key}\n"), where="stdout")
    text_file(
        home,
        "cri/partial",
        "pods/default_app_uid/app/0.log",
        lambda key: (
            f"{NANO} stdout F start\n{NANO} stdout P the key {key[:20]}\n{NANO} stderr F aside\n{NANO} stdout F {key[20:]} end\n".replace(
                f"{NANO} stderr F aside\n", ""
            )
        ),
    )
    text_file(
        home,
        "ci/colours",
        "actions-runner/_diag/pages/1.log",
        lambda key: f"\ufeff{RUNNER}##[group]Run\n{RUNNER}\x1b[36;1mtoken \x1b[1m{key}\x1b[0m\n",
    )
    text_file(
        home,
        "ci/wrapped",
        "ci-logs/2_test.txt",
        lambda key: f"{RUNNER}start\n{RUNNER}{'.' * 59} {key[:20]}\n{RUNNER}{key[20:]}\n",
    )
    path = "Downloads/logs_12345.zip"
    home.write(
        path, zipped({"0_build.txt": f"{RUNNER}token \x1b[1m{home.canary('ci/zip', path, where='0_build.txt')}\x1b[0m\n"})
    )
    text_file(
        home,
        "json/escaped slash",
        "Documents/urls.json",
        lambda key: json.dumps({"url": f"https://me:{key}@h/x"}).replace("/", "\\/").replace("_", "\\u005f"),
        where="url",
    )
    text_file(
        home,
        "git-credentials/percent",
        ".config/git/credentials",
        lambda key: f"https://me%40example.org:x%2F{key}@github.com\n",
    )
