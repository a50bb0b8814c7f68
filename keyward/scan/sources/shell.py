"""Histories of shells, REPLs and editors, and recordings of terminals.

A running shell writes its history when it ends: what is scrubbed before may come back.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator

from keyward.scan.roles import ECHO
from keyward.scan.sources.host import Host, Spot, Tool

_LINE = "the value alone, in place, while no such shell runs"
_ESCAPED = "the value alone, in place, as the history writes it"
_SQL = "through SQLite, then VACUUM; while no such shell runs"
_DELETE = "delete the file; it is binary"
_COPIES = ("*.bak", "*.old", "*.save", "*.[0-9]", "*~", "-*", "*.LOCK.*", ".*.tmp")


def _history(name: str, title: str, format: str, scrub: str, *names: str) -> Tool:
    """A history in the home, with the copies that people and shells leave beside it."""

    def spots(host: Host) -> Iterator[Spot]:
        for each in names:
            yield Spot(host.home, each, format, scrub, ECHO)
            for ending in _COPIES:
                yield Spot(host.home, f"{each}{ending}", format, scrub, ECHO)

    return Tool(name, "shell", title, spots)


def _named(host: Host, variable: str, default: str, format: str, scrub: str) -> Spot:
    """The file that a variable names, else the default one."""
    folder, name = os.path.split(host.variable(variable, default))
    return Spot(folder, name, format, scrub, ECHO)


def _bash(host: Host) -> Iterator[Spot]:
    yield _named(host, "HISTFILE", ".bash_history", "lines, with `#EPOCH` lines if HISTTIMEFORMAT is set", _LINE)
    for pattern in (".bash_history*", ".sh_history", ".ash_history", ".ksh_history", ".history", ".bash_sessions/*.history*",
                    ".local/state/bash/history", ".config/bash/history", ".cache/bash_history"):  # fmt: skip
        yield Spot(host.home, pattern, "lines, with `#EPOCH` lines if HISTTIMEFORMAT is set", _LINE, ECHO)


def _zsh(host: Host) -> Iterator[Spot]:
    folder = host.variable("ZDOTDIR", "")
    for where in dict.fromkeys((host.home, folder)):
        for pattern in (".zsh_history*", ".zhistory*", ".histfile", ".zsh_sessions/*.history*", ".zsh_history.*"):
            yield Spot(where, pattern, "zsh history, metafied", _ESCAPED, ECHO)
    for where in (os.path.join(host.state, "zsh"), os.path.join(host.config, "zsh"), os.path.join(host.data, "zsh"),
                  os.path.join(host.cache, "zsh")):  # fmt: skip
        yield Spot(where, "*history*", "zsh history, metafied", _ESCAPED, ECHO)


def _fish(host: Host) -> Iterator[Spot]:
    for folder in (os.path.join(host.data, "fish"), os.path.join(host.config, "fish")):
        yield Spot(folder, "*_history*", "fish history", "`history delete --exact --case-sensitive`", ECHO)


def _powershell(host: Host) -> Iterator[Spot]:
    for folder in (os.path.join(host.data, "powershell"), os.path.join(host.home, ".local", "share", "powershell")):
        yield Spot(folder, "PSReadLine/*_history.txt", "lines", _LINE, ECHO)
    yield Spot(host.home, "Documents/PowerShell_transcript.*.txt", "text", "the value alone, in place", ECHO)


def _nushell(host: Host) -> Iterator[Spot]:
    for folder in dict.fromkeys((os.path.join(host.config, "nushell"), os.path.join(host.application_support, "nushell"))):
        yield Spot(folder, "history.txt*", "lines, `<\\n>` for a newline", _ESCAPED, ECHO)
        yield Spot(folder, "history.sqlite3*", "SQLite", _SQL, ECHO)


def _atuin(host: Host) -> Iterator[Spot]:
    folder = os.path.join(host.data, "atuin")
    encrypted = "encrypted for synchronisation; the commands are read from history.db"
    yield Spot(folder, "records.db*", "SQLite, encrypted records", "`atuin history prune`", ECHO, opaque=encrypted)
    yield Spot(folder, "history.db*", "SQLite", "`atuin search --delete`, else the next synchronisation brings it back", ECHO)


def _python(host: Host) -> Iterator[Spot]:
    yield _named(host, "PYTHON_HISTORY", ".python_history", "lines; octal escapes if it was written by libedit", _ESCAPED)
    for pattern in (".python_history*", ".pythonhist", ".local/state/python_history", ".cache/python_history", ".bpython_history",
                    ".local/share/ptpython/history", ".config/ptpython/history", ".pdbhistory", ".pdb_history"):  # fmt: skip
        yield Spot(host.home, pattern, "lines; octal escapes if it was written by libedit", _ESCAPED, ECHO)


def _psql(host: Host) -> Iterator[Spot]:
    yield _named(host, "PSQL_HISTORY", ".psql_history", "lines, 0x01 for a newline", _ESCAPED)
    yield Spot(host.home, ".psql_history*", "lines, 0x01 for a newline", _ESCAPED, ECHO)
    yield Spot(host.config, "pgcli/history", "lines", _LINE, ECHO)
    yield Spot(host.config, "pgcli/log", "lines", _LINE, ECHO)


def _mysql(host: Host) -> Iterator[Spot]:
    for variable, default in (("MYSQL_HISTFILE", ".mysql_history"), ("MARIADB_HISTFILE", ".mariadb_history")):
        yield _named(host, variable, default, "libedit history, octal escapes", _ESCAPED)
        yield Spot(host.home, f"{default}*", "libedit history, octal escapes", _ESCAPED, ECHO)
    yield Spot(host.home, ".mycli-history*", "lines", _LINE, ECHO)


def _variables(name: str, title: str, variable: str, default: str, *more: str) -> Tool:
    """A history whose place a variable may say."""

    def spots(host: Host) -> Iterable[Spot]:
        yield _named(host, variable, default, "lines", _LINE)
        for pattern in more:
            yield Spot(host.home, pattern, "lines", _LINE, ECHO)

    return Tool(name, "shell", title, spots)


def _vim(host: Host) -> Iterator[Spot]:
    for pattern in (".viminfo", "_viminfo", ".viminf?.tmp", ".vim/viminfo", ".vim/.viminfo", ".local/state/vim/viminfo",
                    ".cache/vim/viminfo"):  # fmt: skip
        yield Spot(host.home, pattern, "viminfo: each register stands there twice", "both copies, or the whole item", ECHO)
    for pattern in (".vim/swap/**", ".vim/undo/**", ".vim/undodir/**", ".vim/backup/**", ".cache/vim/**", ".vimundo/**"):
        yield Spot(host.home, pattern, "vim swap, undo or backup file", _DELETE, ECHO)
    # beside the file that was edited
    for pattern in (".*.sw[a-p]", ".*.un~"):
        yield Spot("", pattern, "vim swap or undo file", _DELETE, ECHO)
    yield Spot("", "*~", "backup of an editor", "a copy: delete it", ECHO)
    for pattern in ("#*#", ".#*"):
        yield Spot("", pattern, "Emacs auto-save file", "a copy: delete it", ECHO)


def _neovim(host: Host) -> Iterator[Spot]:
    for folder in dict.fromkeys((os.path.join(host.state, "nvim"), os.path.join(host.data, "nvim"))):
        for pattern in ("shada/*", "swap/**", "undo/**", "backup/**", "*.log", "log"):
            yield Spot(folder, pattern, "MessagePack, or text in a binary file", _DELETE, ECHO)


def _pagers(host: Host) -> Iterator[Spot]:
    yield _named(host, "LESSHISTFILE", ".lesshst", "lines", _LINE)
    for path in (os.path.join(host.state, "lesshst"), os.path.join(host.data, "lesshst")):
        yield Spot(os.path.dirname(path), "lesshst", "lines", _LINE, ECHO)


def _downloads(host: Host) -> Iterator[Spot]:
    for pattern in (".wget-hsts", "wget-log*", ".curl-hsts"):
        yield Spot(host.home, pattern, "lines", _LINE, ECHO)
    for pattern in ("Downloads/wget-log*", ".local/share/wget/**"):
        yield Spot(host.home, pattern, "lines", _LINE, ECHO)


def _terminals(host: Host) -> Iterator[Spot]:
    terminal = "what a terminal was sent"
    for pattern in ("typescript*", "*.typescript", "screenlog.*", ".screenlog*", "tmux-*.log", "tmux*.txt", ".tmux/**/*.log", "tmux-logs/**",
                    ".tmux/resurrect/**", ".local/share/tmux/resurrect/**", ".local/share/tmux/*.log", ".script/**", "terminal-logs/**",
                    ".local/share/zellij/**", ".cache/zellij/**", ".tmux_history", ".local/share/terminal/**"):  # fmt: skip
        yield Spot(host.home, pattern, terminal, "the value alone, in place", ECHO)


def _asciinema(host: Host) -> Iterator[Spot]:
    yield Spot("", "*.cast", "asciinema: an event a line", "the events that hold the value", ECHO)
    yield Spot(os.path.join(host.data, "asciinema"), "**", "asciinema: an event a line", "the events that hold the value", ECHO)


def _tool(name: str, title: str, spots: Callable[[Host], Iterable[Spot]]) -> Tool:
    return Tool(name, "shell", title, spots)


TOOLS: tuple[Tool, ...] = (
    _tool("zsh", "zsh", _zsh),
    _tool("bash", "bash, sh, ksh", _bash),
    _tool("fish", "fish", _fish),
    _tool("powershell", "PowerShell", _powershell),
    _tool("nushell", "Nushell", _nushell),
    _tool("atuin", "Atuin", _atuin),
    _tool("python", "Python", _python),
    _tool("psql", "psql", _psql),
    _tool("mysql", "mysql, mariadb", _mysql),
    _variables("sqlite", "sqlite3", "SQLITE_HISTORY", ".sqlite_history", ".sqlite_history*", ".litecli-history*"),
    _variables("redis", "redis-cli", "REDISCLI_HISTFILE", ".rediscli_history", ".rediscli_history*", ".valkeycli_history*"),
    _variables("node", "Node.js, Deno, Bun", "NODE_REPL_HISTORY", ".node_repl_history", ".node_repl_history*", ".bun_repl_history",
               ".cache/deno/deno_history.txt", ".ts_node_repl_history"),
    _history("mongosh", "mongosh", "lines, the newest first", _LINE, ".mongodb/mongosh/mongosh_repl_history",
             ".mongodb/mongosh/.mongosh_repl_history", ".dbshell"),
    _variables("ruby", "irb, pry", "IRB_HISTORY", ".irb_history", ".irb_history*", ".pry_history*", ".irb-history*",
               ".local/share/irb/irb_history", ".local/share/pry/pry_history", ".local/state/irb/history"),
    _variables("r", "R", "R_HISTFILE", ".Rhistory", ".Rhistory*"),
    _history("julia", "Julia", "lines with times", _LINE, ".julia/logs/repl_history.jl"),
    _history("other-repls", "other REPLs", "lines", _LINE, ".php_history", ".scala_history", ".ghc/ghci_history", ".erlang_history",
             ".lua_history", ".octave_hist", ".gdb_history", ".lldb/lldb-widehistory", ".clickhouse-client-history", ".cqlsh/cassandra/history",
             ".cassandra/cqlsh_history", ".influx_history", ".duckdb_history", ".usql_history", ".snowsql/history", ".hivehistory"),
    _tool("vim", "vim", _vim),
    _tool("neovim", "Neovim", _neovim),
    _tool("less", "less", _pagers),
    _tool("wget", "wget, curl", _downloads),
    _tool("terminal", "script, screen, tmux", _terminals),
    _tool("asciinema", "asciinema", _asciinema),
)  # fmt: skip
