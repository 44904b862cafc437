"""The commands as a user meets them: help at once, an understandable word when something is missing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tandem.runtime.setup import CHECKOUT

SCRIPTS = CHECKOUT / "scripts"
COMMANDS = sorted(
    path.name for path in SCRIPTS.iterdir() if not path.name.startswith("_") and path.suffix == ""
)
TIMEOUT_S = 30.0


def run(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Run with no environment but this, from a folder that is no checkout."""
    return subprocess.run(
        command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False, env=environment, cwd="/"
    )


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A checkout in which nothing is set up."""
    checkout = tmp_path / "fresh"
    for name in ("scripts", "tandem", "export", "deploy"):
        shutil.copytree(CHECKOUT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "client/pyproject.toml"):
        (checkout / name).parent.mkdir(exist_ok=True)
        shutil.copy(CHECKOUT / name, checkout / name)
    return checkout


@pytest.mark.parametrize("name", ["demo", "serve", "test"])
def test_help_needs_no_set_up(fresh: Path, name: str) -> None:
    done = run(["bash", str(fresh / "scripts" / name), "--help"])
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"usage: scripts/{name}")
    assert not (fresh / ".venv").exists()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_executable(name: str) -> None:
    assert os.access(SCRIPTS / name, os.X_OK)


def python_that(folder: Path, answer: str, name: str = "python3") -> str:
    """A folder for PATH with a Python that says `answer` when asked for its version, and has no ensurepip."""
    folder.mkdir(exist_ok=True)
    script = f'#!/bin/bash\ncase "$2" in *version_info*) echo {answer} ;; *) exit 1 ;; esac\n'
    (folder / name).write_text(script)
    (folder / name).chmod(0o755)
    for tool in ("bash", "dirname", "mkdir", "flock", "cat", "sha256sum", "sed"):
        found = shutil.which(tool)
        if found and not (folder / tool).exists():
            (folder / tool).symlink_to(found)
    return str(folder)


def test_without_a_fitting_python_it_says_what_to_install(fresh: Path, tmp_path: Path) -> None:
    path = python_that(tmp_path / "bin", "9")
    done = run(["bash", str(fresh / "scripts" / "serve")], PATH=path)
    assert done.returncode == 1
    assert done.stderr == (
        "error: no Python 3.10 to 3.12 found: apt install python3 python3-venv"
        " (Debian 12, Ubuntu 22.04, 24.04)\n"
    )


def test_without_ensurepip_it_says_what_to_install(fresh: Path, tmp_path: Path) -> None:
    path = python_that(tmp_path / "bin", "11")
    done = run(["bash", str(fresh / "scripts" / "serve")], PATH=path)
    assert done.returncode == 1
    assert done.stderr == "error: Python 3.11 can't make virtual environments: apt install python3-venv\n"


def test_the_demo_names_a_photo_that_is_not_there() -> None:
    done = run(["bash", str(SCRIPTS / "demo"), "nowhere.jpg"])
    assert done.returncode == 1
    assert done.stderr == "error: no such file: nowhere.jpg\n"
    assert done.stdout == ""


def test_what_is_set_up_is_not_set_up_again(tmp_path: Path) -> None:
    """`need` compares what is to be installed with what was: both the packages and the place count."""
    script = f". '{SCRIPTS}/_env.sh'; ROOT='{tmp_path}'; PYTHON=/bin/true; is_done serve one && echo done"
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "serve.done").write_text("one\n")
    assert run(["bash", "-c", script]).stdout == "done\n"
    (tmp_path / ".venv" / "serve.done").write_text("other\n")
    assert run(["bash", "-c", script]).stdout == ""
    (tmp_path / ".venv" / "develop.done").write_text("one\n")  # which holds what serving needs
    assert run(["bash", "-c", script]).stdout == "done\n"


def test_a_user_is_told_in_one_line_which_system_packages_to_install(tmp_path: Path) -> None:
    """Nothing of the system is there, and only root may change that."""
    (tmp_path / "dpkg-query").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "dpkg-query").chmod(0o755)
    script = f"PATH={tmp_path}:$PATH; . '{SCRIPTS}/_env.sh'; is_root() {{ return 1; }}; need_system"
    done = run(["bash", "-c", script], PATH=os.environ["PATH"])
    assert done.returncode == 0
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "sudo apt-get install --no-install-recommends fonts-noto-cjk" in line
    assert "rabbitmq-server" in line


def test_continuous_integration_runs_what_a_newcomer_runs() -> None:
    lines = (CHECKOUT / ".ci" / "run").read_text("utf-8").splitlines()
    commands = [line.split()[0] for line in lines if line.startswith("scripts/")]
    assert commands == ["scripts/test", "scripts/audit"]


def test_everything_that_is_installed_has_a_hash_and_fits_the_project() -> None:
    """The lists of `scripts/lock` hold what pyproject.toml asks for; pip refuses a file with another hash."""
    lists = ("serve", "gpu", "develop", "torch", "torch-cpu", "weights", "peer-mosec", "peer-litserve")
    for name in lists:
        text = (CHECKOUT / "deploy" / "requirements" / f"{name}.txt").read_text("utf-8")
        entries = [entry for entry in re.split(r"\n(?=\S)", text.strip()) if not entry.startswith("#")]
        assert entries, name
        assert all("--hash=sha256:" in entry for entry in entries), name
    toml = pytest.importorskip("tomllib", reason="Python 3.11 brings it")
    project = toml.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    groups = {
        "serve": [*project["dependencies"], *extras["serve"], *extras["batching"], *extras["gateway"]],
        "gpu": extras["gpu"],
        # "gpu" stands in place of a package of the others
        "develop": [
            *project["dependencies"],
            *(line for extra, lines in extras.items() if extra != "gpu" for line in lines),
        ],
    }
    for name, asked_for in groups.items():
        text = (CHECKOUT / "deploy" / "requirements" / f"{name}.txt").read_text("utf-8")
        pinned = [Requirement(line.rstrip(" \\")) for line in text.splitlines() if "==" in line]
        for asked in map(Requirement, asked_for):
            if asked.name in ("tandem-triton", "torch"):
                continue
            for minor in (10, 11, 12):
                here = {"python_version": f"3.{minor}", "python_full_version": f"3.{minor}.1"}
                if not holds(asked, here):
                    continue
                versions = [one for one in pinned if named(one) == named(asked) and holds(one, here)]
                assert len(versions) == 1, (name, asked, here)
                (version,) = (str(one.specifier).removeprefix("==") for one in versions)
                assert asked.specifier.contains(version), (name, asked, version)


def holds(requirement: Requirement, environment: dict[str, str]) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": "", **environment})


def named(requirement: Requirement) -> str:
    return re.sub(r"[-_.]+", "-", requirement.name).lower()
