from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tandem.runtime.shared_memory import new_prefix, remove_leftovers, remove_regions


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
