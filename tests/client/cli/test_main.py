from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

import pytest
import tandem_triton
from tandem_triton.cli.main import Command, find_commands, main


def _command(code: int = 0) -> Callable[[], Command]:
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--rate", type=float, required=True)

    def run(arguments: argparse.Namespace) -> int:
        sys.stdout.write(f"rate {arguments.rate}\n")
        return code

    command = SimpleNamespace(SUMMARY="Plan something.", add_arguments=add_arguments, run=run)
    return lambda: cast(Command, command)


def _broken() -> Command:
    raise ImportError("no module named scipy")


def test_a_plugged_in_command_gets_its_own_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--rate", "3"], {"plan": _command(code=4)}) == 4
    assert capsys.readouterr().out == "rate 3.0\n"


def test_the_overview_lists_every_command_even_a_broken_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"], {"plan": _command(), "queue": _broken}) == 0
    out = capsys.readouterr().out
    assert re.search(r"plan +Plan something", out)
    assert re.search(r"queue +\(can't be loaded: no module named scipy\)", out)


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"], {}) == 0
    assert capsys.readouterr().out == f"tandem {tandem_triton.__version__}\n"


def test_a_broken_command_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["queue"], {"queue": _broken}) == 1
    assert "scipy" in capsys.readouterr().err


def test_no_such_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reed"], {"read": _command()}) == 2
    assert "there are: read" in capsys.readouterr().err


def test_read_is_there_without_an_installed_package() -> None:
    assert find_commands()["read"]().SUMMARY.startswith("Read")


def test_ctrl_c_is_told_by_the_exit_code() -> None:
    def interrupted(_: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    command = SimpleNamespace(SUMMARY="", add_arguments=lambda _: None, run=interrupted)
    assert main(["wait"], {"wait": lambda: cast(Command, command)}) == 130


def test_the_overview_loads_no_progress_bar_and_no_pillow() -> None:
    script = (
        "import sys, tandem_triton, tandem_triton.cli.main as cli; cli.find_commands();"
        "print({'PIL', 'rich'} & set(sys.modules))"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd="client"
    )
    assert told.stdout.strip() == "set()"
