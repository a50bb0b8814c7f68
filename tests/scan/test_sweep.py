"""One walk finds each source's files, follows nothing out of the home, and says what it leaves out."""

from __future__ import annotations

import fnmatch
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keyward.errors import UsageError
from keyward.scan.sources.catalogue import chosen, tools
from keyward.scan.sources.host import GROUPS, OPT_IN, Host, Spot, Tool, other_host
from keyward.scan.sources.mounts import mounts, why_not_entered
from keyward.scan.sources.spot_patterns import Automaton, Pattern
from keyward.scan.sources.sweep import PRECEDENCE, Sweep, why_opaque


def write(home: Path, *paths: str, content: bytes = b"x") -> None:
    for path in paths:
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_bytes(content)


def spot(folder: str | Path, pattern: str, **more: object) -> Spot:
    return Spot(str(folder), pattern, "text", "in place")._replace(**more)  # type: ignore[arg-type]


def tool(name: str, *spots: Spot) -> Tool:
    group, _, short = name.partition("/")
    return Tool(short, group, name, lambda host: spots)


def sweep(home: Path, *tools: Tool, mounted: dict[str, str] | None = None, root: str = "/") -> Sweep:
    return Sweep(Host(str(home), {}, root=root), tools, mounted=mounted or {})


def met(swept: Sweep, home: Path) -> dict[str, str]:
    return {os.path.relpath(each.path, home): each.source for each in swept.files()}


def test_a_file_belongs_to_the_first_source_that_fits(tmp_path: Path) -> None:
    write(tmp_path, ".agent/.env", ".agent/deep/er/log.txt", "work/.env", "work/.env.local", "work/main.py", ".agent.txt")
    agent = tool("agents/one", spot(tmp_path / ".agent", "**"))
    env = tool("env/dotenv", spot("", ".env*"))
    assert met(sweep(tmp_path, env, agent), tmp_path) == {
        ".agent/.env": "agents/one",
        ".agent/deep/er/log.txt": "agents/one",
        "work/.env": "env/dotenv",
        "work/.env.local": "env/dotenv",
    }
    # chosen alone, a source has all of its files
    assert set(met(sweep(tmp_path, env), tmp_path)) == {".agent/.env", "work/.env", "work/.env.local"}


def test_in_a_group_a_tool_with_a_folder_claims_before_one_with_none(tmp_path: Path) -> None:
    write(tmp_path, ".agent/.mcp.json", "work/.mcp.json")
    anywhere, own = tool("agents/a", spot("", ".mcp.json")), tool("agents/z", spot(tmp_path / ".agent", "**"))
    assert met(sweep(tmp_path, anywhere, own), tmp_path) == {".agent/.mcp.json": "agents/z", "work/.mcp.json": "agents/a"}


def test_a_tool_says_which_of_its_own_spots_comes_first(tmp_path: Path) -> None:
    write(tmp_path, ".agent/config.json", ".agent/log.json")
    found = sweep(
        tmp_path, tool("agents/a", spot(tmp_path / ".agent", "config.json", role="live-config"), spot(tmp_path, ".agent/**"))
    )
    assert {os.path.basename(each.path): each.spot.role for each in found.files()} == {
        "config.json": "live-config",
        "log.json": "",
    }


def test_only_folders_in_which_something_may_be_are_entered(tmp_path: Path) -> None:
    write(tmp_path, "work/a/b/c", ".aws/credentials", ".aws/cli/cache/x.json")
    aws = tool("configs/aws", spot(tmp_path, ".aws/credentials"), spot(tmp_path / ".aws", "cli/cache/*.json"))
    # were they considered, these mounts would be named
    mounted = {f"{tmp_path}/work": "nfs", f"{tmp_path}/.aws/other": "nfs"}
    write(tmp_path, ".aws/other/x.json")
    found = sweep(tmp_path, aws, mounted=mounted)
    assert set(met(found, tmp_path)) == {".aws/credentials", ".aws/cli/cache/x.json"}
    assert found.not_scanned == []


@pytest.fixture
def somebody() -> Iterator[Path]:
    """An empty folder of a user who is not root, as whom the test runs."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o777)
        root = os.geteuid() == 0
        if root:
            os.seteuid(65534)
        try:
            yield Path(name)
        finally:
            if root:
                os.seteuid(0)


def test_a_folder_that_cannot_be_listed_is_named(somebody: Path) -> None:
    write(somebody, "closed/.env", "logs/x.log")
    (somebody / "closed").chmod(0)
    (somebody / "logs").chmod(0)
    found = sweep(somebody, tool("env/dotenv", spot("", ".env")), tool("logs/x", spot(somebody / "logs", "*.log", root=True)))
    assert met(found, somebody) == {}
    assert {os.path.basename(item.path): item.reason for item in found.not_scanned} == {
        "closed": "permission denied",
        "logs": "only root can read it: sweep it as root",
    }
    for name in ("closed", "logs"):
        (somebody / name).chmod(0o755)


def test_git_is_entered_for_files_that_are_named_in_it_only(tmp_path: Path) -> None:
    write(tmp_path, "work/.git/config", "work/.git/objects/aa/config", "work/.git/.env", "work/.env")
    found = met(sweep(tmp_path, tool("env/d", spot("", ".env")), tool("configs/git", spot("", ".git/config"))), tmp_path)
    assert found == {"work/.git/config": "configs/git", "work/.env": "env/d"}


@pytest.mark.parametrize("pattern", ["workspace/**", "workspace/.git/**", "*/**"])
def test_repositories_with_a_history_are_noted(tmp_path: Path, pattern: str) -> None:
    write(tmp_path, ".agent/workspace/.git/HEAD", ".agent/workspace/MEMORY.md", "elsewhere/.git/HEAD")
    found = sweep(tmp_path, tool("agents/a", spot(tmp_path / ".agent", pattern, history=True)))
    files = met(found, tmp_path)
    assert [os.path.relpath(each.path, tmp_path) for each in found.repositories] == [".agent/workspace"]
    assert not any(path.endswith(".git/HEAD") for path in files) or pattern.startswith("workspace/.git")


def test_a_linked_worktree_is_a_repository_and_its_pointer_no_file_of_the_tool(tmp_path: Path) -> None:
    write(tmp_path, ".agent/workspace/.git", content=b"gitdir: /elsewhere\n")
    found = sweep(tmp_path, tool("agents/a", spot(tmp_path / ".agent", "workspace/**", history=True)))
    assert met(found, tmp_path) == {}
    assert [os.path.relpath(each.path, tmp_path) for each in found.repositories] == [".agent/workspace"]


def test_a_shadow_repository_is_read_as_one(tmp_path: Path) -> None:
    write(
        tmp_path, "snapshot/p/HEAD", "snapshot/p/config", "snapshot/p/objects/aa/bb", "snapshot/p/refs/heads/x", "snapshot/note"
    )
    found = sweep(tmp_path, tool("agents/a", spot(tmp_path, "snapshot/**", history=True)))
    assert set(met(found, tmp_path)) == {"snapshot/p/HEAD", "snapshot/p/config", "snapshot/p/refs/heads/x", "snapshot/note"}
    assert [os.path.relpath(each.path, tmp_path) for each in found.repositories] == ["snapshot/p"]


def test_installed_packages_are_left_out_but_not_those_in_a_tool_s_own_folder(tmp_path: Path) -> None:
    write(tmp_path, "a/node_modules/x/.env", "b/node_modules/.env", ".agent/node_modules/x/y.js", ".cargo/registry/src/.env")
    found = sweep(tmp_path, tool("env/d", spot("", ".env")), tool("agents/a", spot(tmp_path / ".agent", "**")))
    assert set(met(found, tmp_path)) == {".agent/node_modules/x/y.js"}
    said = {os.path.relpath(item.path, tmp_path): item.by for item in found.excluded}
    assert said["a/node_modules"] == "`node_modules` holds installed packages: scan it by itself (and 1 more)"
    assert ".cargo/registry" in said and len(said) == 2


# --- links --------------------------------------------------------------------------------------------------------------------


def test_a_link_within_the_home_is_looked_through_where_it_leads(tmp_path: Path) -> None:
    write(tmp_path, "dotfiles/npmrc", "dotfiles/agent/config.json", "dotfiles/agent/notes.md", "dotfiles/other.txt")
    (tmp_path / ".npmrc").symlink_to("dotfiles/npmrc")
    (tmp_path / ".agent").symlink_to(tmp_path / "dotfiles" / "agent")
    found = sweep(tmp_path, tool("configs/npm", spot(tmp_path, ".npmrc")), tool("agents/a", spot(tmp_path / ".agent", "**")))
    assert met(found, tmp_path) == {
        "dotfiles/npmrc": "configs/npm",
        "dotfiles/agent/config.json": "agents/a",
        "dotfiles/agent/notes.md": "agents/a",
    }
    assert found.not_scanned == [] and found.excluded == []


def test_links_in_circles_end_and_no_file_comes_twice(tmp_path: Path) -> None:
    write(tmp_path, ".agent/a/x.md")
    (tmp_path / ".agent/a/up").symlink_to("..")
    (tmp_path / ".agent/same.md").symlink_to("a/x.md")
    (tmp_path / ".agent/self").symlink_to("self")
    (tmp_path / ".agent/gone").symlink_to("nowhere")
    found = [each.path for each in sweep(tmp_path, tool("agents/a", spot(tmp_path / ".agent", "**"))).files()]
    assert [os.path.relpath(path, tmp_path) for path in found] == [".agent/a/x.md"]


def test_a_link_out_of_the_home_is_not_followed_and_named_where_a_tool_s_files_would_be(tmp_path: Path) -> None:
    home, outside = tmp_path / "home", tmp_path / "outside"
    write(outside, "agent/x.md", "secret", "chance")
    write(home, ".cache/x")
    (home / ".agent").symlink_to(outside / "agent")
    (home / ".npmrc").symlink_to(outside / "secret")
    (home / ".cache/chance").symlink_to(outside / "chance")
    (home / "media").symlink_to(outside)
    found = sweep(
        home,
        tool("agents/a", spot(home / ".agent", "**")),
        tool("configs/npm", spot(home, ".npmrc")),
        tool("logs/x", spot(home / ".cache", "**")),
        tool("env/d", spot("", ".env")),
    )
    assert set(met(found, home)) == {".cache/x"}
    assert {os.path.relpath(item.path, home) for item in found.not_scanned} == {".agent", ".npmrc"}
    assert all("out of the home" in item.reason for item in found.not_scanned)
    assert [os.path.relpath(item.path, home) for item in found.excluded] == [".cache/chance"]


def test_a_link_to_what_a_package_installed_is_nobody_s_file(tmp_path: Path) -> None:
    home = tmp_path / "home" / "ann"
    write(tmp_path, "usr/lib/systemd/user/x.service", "srv/y.service", "usr/lib/systemd/system/z.service")
    write(home, "a")
    for name, target in (("x", "usr/lib/systemd/user/x.service"), ("y", "srv/y.service")):
        (home / f"{name}.service").symlink_to(tmp_path / target)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "z.service").symlink_to(tmp_path / "usr/lib/systemd/system/z.service")
    (tmp_path / "etc" / "zone").symlink_to(tmp_path / "usr/lib/systemd/system/z.service")
    units = tool("env/systemd", spot(home, "*.service"), spot(tmp_path / "etc", "*.service"), spot(tmp_path / "etc", "*/*.env"))
    found = sweep(home, units, root=str(tmp_path))
    assert met(found, home) == {}
    assert [os.path.relpath(item.path, home) for item in found.not_scanned] == ["y.service"]
    assert [os.path.relpath(item.path, home) for item in found.excluded] == ["x.service"]
    assert "(and 1 more)" in found.excluded[0].by


def test_a_home_that_is_itself_reached_by_a_link(tmp_path: Path) -> None:
    write(tmp_path, "real/dotfiles/npmrc")
    (tmp_path / "real/.npmrc").symlink_to(tmp_path / "real/dotfiles/npmrc")
    (tmp_path / "home").symlink_to("real")
    home = tmp_path / "home"
    assert set(met(sweep(home, tool("configs/npm", spot(home, ".npmrc"))), home)) == {"dotfiles/npmrc"}


def test_a_pipe_is_left_out(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".env")
    found = sweep(tmp_path, tool("env/d", spot("", ".env")))
    assert met(found, tmp_path) == {}
    assert [item.by for item in found.excluded] == ["not a regular file (device, socket or pipe)"]


# --- other file systems -------------------------------------------------------------------------------------------------------


def test_a_mount_that_may_hang_is_named_and_not_touched(tmp_path: Path) -> None:
    write(tmp_path, "remote/.env", "local/.env", ".agent/x")
    (tmp_path / "link").symlink_to("remote")
    (tmp_path / ".agent/far").symlink_to(tmp_path / "remote" / ".env")
    mounted = {"/": "ext4", f"{tmp_path}/remote": "fuse.sshfs", f"{tmp_path}/local": "btrfs"}
    found = sweep(tmp_path, tool("env/d", spot("", ".env")), tool("agents/a", spot(tmp_path / ".agent", "**")), mounted=mounted)
    assert set(met(found, tmp_path)) == {"local/.env", ".agent/x"}
    assert {os.path.relpath(item.path, tmp_path) for item in found.not_scanned} == {"remote", ".agent/far"}
    assert all("fuse.sshfs" in item.reason for item in found.not_scanned)


def test_a_home_on_a_network_is_swept_since_it_was_asked_for(tmp_path: Path) -> None:
    write(tmp_path, "home/.env", "home/a/.env")
    (tmp_path / "home/.npmrc").symlink_to("a/.env")
    found = sweep(
        tmp_path / "home", tool("env/d", spot("", ".env")), tool("configs/n", spot(tmp_path / "home", ".npmrc")), mounted={str(tmp_path): "nfs4"}
    )  # fmt: skip
    assert len(met(found, tmp_path)) == 2 and found.not_scanned == []


def test_the_kernel_s_table_of_mounts(tmp_path: Path) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(
        "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n"
        "40 35 0:40 / /home/ann/my\\040disk rw shared:5 propagate_from:2 - fuse.sshfs ann@far: rw\nrubbish\n"
    )
    assert mounts(str(table)) == {"/mnt2": "ext3", "/home/ann/my disk": "fuse.sshfs"}
    assert mounts(str(tmp_path / "none")) == {}
    assert why_not_entered("ext4") == why_not_entered("fuseblk") == why_not_entered("tmpfs") == ""
    assert "nfs4" in why_not_entered("nfs4") and "kernel" in why_not_entered("proc")


# --- folders outside the home, opaque files, choice ------------------------------------------------------------------------------


def test_folders_outside_the_home_are_walked_once(tmp_path: Path) -> None:
    write(tmp_path, "home/ann/.env", "var/log/x.log", "var/log/deep/y.log", "tmp/agent/z.log", "home/bob/.env")
    home = tmp_path / "home/ann"
    found = sweep(
        home,
        tool("env/d", spot("", ".env")),
        tool("logs/a", spot(tmp_path / "var/log", "*.log")),
        tool(
            "logs/b", spot(tmp_path / "var/log/deep", "*.log"), spot(tmp_path, "tmp/agent/*.log"), spot(tmp_path / "none", "**")
        ),
    )
    assert met(found, tmp_path) == {
        "home/ann/.env": "env/d",
        "tmp/agent/z.log": "logs/b",
        "var/log/x.log": "logs/a",
        "var/log/deep/y.log": "logs/b",
    }


def test_opaque_files_are_told_by_name_or_by_what_stands_in_them(tmp_path: Path) -> None:
    write(tmp_path, "a.kdbx", "plain/vault.yml")
    write(tmp_path, "vault.yml", content=b"$ANSIBLE_VAULT;1.1;AES256\n00\n")
    spots = (spot("", "*.kdbx", opaque="KeePass"), spot("", "vault.yml", opaque="Ansible", marks=(b"$ANSIBLE_VAULT;",)))
    found = {
        os.path.relpath(each.path, tmp_path): why_opaque(each) for each in sweep(tmp_path, tool("configs/x", *spots)).files()
    }
    assert found == {"a.kdbx": "KeePass", "plain/vault.yml": "", "vault.yml": "Ansible"}


def test_other_homes_bring_no_variables_and_their_own_root(tmp_path: Path) -> None:
    assert other_host("/mnt/disk/home/ann").root == "/mnt/disk"
    assert other_host("/mnt/disk/Users/ann").root == "/mnt/disk"
    assert other_host("/mnt/disk/root").root == "/mnt/disk"
    assert other_host("/home/ann").root == "/" == other_host("/root").root
    host = other_host("/mnt/backup")
    assert (host.root, dict(host.environ), host.running) == ("/mnt/backup", {}, False)
    (tmp_path / "Library" / "Application Support").mkdir(parents=True)
    assert other_host(str(tmp_path)).mac and not host.mac


def test_sources_are_chosen_by_group_or_in_full() -> None:
    every = [tool("env/d"), tool("agents/a"), tool("agents/b"), tool("processes/environ")]

    def names(*wanted: str) -> list[str]:
        return [each.full_name for each in chosen(wanted, every)]

    assert names() == ["env/d", "agents/a", "agents/b"]
    assert names("agents") == ["agents/a", "agents/b"] == names("agents/b", "agents/a", "agents/b")
    assert names("processes", "agents/b") == ["agents/b", "processes/environ"]
    for wrong, hint in (("agents/x", "agents/a, agents/b"), ("b", "agents/b"), ("shel", "env, shell"), ("", "env, shell")):
        with pytest.raises(UsageError) as error:
            chosen([wrong], every)
        assert hint in error.value.hint


def test_the_catalogue_is_in_order_and_every_spot_is_well_formed() -> None:
    every = tools()
    groups = [each.group for each in every]
    order = (*GROUPS, *OPT_IN)
    assert groups == sorted(groups, key=order.index)
    assert set(PRECEDENCE) == set(GROUPS)
    for platform in ("linux", "darwin"):
        host = Host("/home/ann", {}, platform)
        for each in every:
            for spot_ in each.spots(host):
                place = (each.full_name, spot_)
                assert spot_.pattern and not spot_.pattern.startswith("/") and ".." not in spot_.pattern.split("/"), place
                assert not spot_.folder or os.path.isabs(spot_.folder), place
                assert spot_.format and spot_.scrub and spot_.role in ("", "live-config", "echo"), place
                assert not spot_.marks or spot_.opaque, place


# --- the automaton ------------------------------------------------------------------------------------------------------------


def fits(segments: tuple[str, ...], path: tuple[str, ...]) -> bool:
    """The plain definition."""
    if not segments:
        return not path
    if segments[0] == "**":
        if len(segments) == 1:
            return bool(path)
        return any(fits(segments[1:], path[n:]) for n in range(len(path)))
    return bool(path) and fnmatch.fnmatchcase(path[0], segments[0]) and fits(segments[1:], path[1:])


NAMES = st.sampled_from(["a", "b", "a.env", ".env", "b.x.env", "x.bak", ".a.bak", "a.b"])
SEGMENTS = st.sampled_from(
    ["a", "b", "*", "**", "*.env", ".env*", "*.bak", "a*", "*a*.env", "[ab]", "?", "*.x.env", "*.b?k", "a.*", ".env"]
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy
@given(
    st.lists(st.lists(SEGMENTS, min_size=1, max_size=4).map(tuple), min_size=1, max_size=5),
    st.lists(NAMES, min_size=1, max_size=5),
)
def test_the_automaton_does_what_the_patterns_say(patterns: list[tuple[str, ...]], path: list[str]) -> None:
    state = Automaton([Pattern(segments) for segments in patterns]).start()
    for name in path[:-1]:
        state = state.folder(name)
    expected = next((n for n, segments in enumerate(patterns) if fits(segments, tuple(path))), -1)
    assert state.file(path[-1]) == expected
    if expected >= 0:
        assert not state.hopeless


def made_up_names() -> Iterable[str]:
    return (
        f"{stem}{number}.{ending}"
        for number in range(2500)
        for stem in ("module", "Test_")
        for ending in ("py", "js", "d.ts", "json")
    )


def test_a_hundred_thousand_names_take_less_than_a_second_of_the_processor() -> None:
    """Of five folders' states; the walk itself is the file system's time. The bound is loose: it takes a tenth of it."""
    host = Host("/home/ann", {})
    spots = [each for source in chosen(()) for each in source.spots(host)]
    state = Automaton(
        [Pattern(("**", each.pattern)) if not each.folder else Pattern(("x", each.pattern)) for each in spots]
    ).start()
    names = list(made_up_names()) * 5
    started = time.process_time()
    for name in names:
        state.file(name)
    assert len(names) == 100_000 and time.process_time() - started < 1.0
