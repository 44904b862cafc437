from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tandem.runtime.shared_memory import hide_regions, new_prefix, remove_leftovers, remove_regions


def dead_pid() -> int:
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_only_the_servers_own_regions_go(tmp_path: Path) -> None:
    mine, other = new_prefix(), new_prefix()
    assert mine != other
    for name in (f"{mine}a", f"{mine}b", f"{other}a", "sem.something"):
        (tmp_path / name).touch()
    assert sorted(remove_regions(mine, tmp_path)) == [f"{mine}a", f"{mine}b"]
    assert {path.name for path in tmp_path.iterdir()} == {f"{other}a", "sem.something"}


def test_leftovers_are_those_whose_starter_is_gone(tmp_path: Path) -> None:
    living = new_prefix() + "region"
    dead = living.replace(f"-{os.getpid()}-", f"-{dead_pid()}-")
    elsewhere = "tandem-1-" + dead.split("-", 2)[2]  # another pid namespace: its pids mean nothing here
    for name in (living, dead, elsewhere, "tandem-notes"):
        (tmp_path / name).touch()
    assert remove_leftovers(tmp_path) == [dead]
    assert {path.name for path in tmp_path.iterdir()} == {living, elsewhere, "tandem-notes"}


def test_only_the_owner_may_read_the_servers_regions(tmp_path: Path) -> None:
    mine, other = tmp_path / f"{new_prefix()}a", tmp_path / f"{new_prefix()}a"
    for path in (mine, other):
        path.touch(0o644)
    hide_regions(mine.name.removesuffix("a"), tmp_path)
    assert [path.stat().st_mode & 0o777 for path in (mine, other)] == [0o600, 0o644]
