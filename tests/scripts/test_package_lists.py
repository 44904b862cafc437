"""What `scripts` install is whole: nothing that a package asks for is missing, one version of each."""

from __future__ import annotations

import importlib.metadata
import re
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

FOLDER = Path(__file__).parents[2] / "deploy" / "requirements"
TOGETHER = ("serve", "language")  # installed one after the other into one environment
PYTHONS = ("3.10.14", "3.11.2", "3.12.3")


def environment(python: str) -> dict[str, str]:
    """What pip knows of a Debian machine with this Python."""
    return {
        "python_version": python.rpartition(".")[0],
        "python_full_version": python,
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "platform_machine": "x86_64",
        "platform_system": "Linux",
        "sys_platform": "linux",
        "os_name": "posix",
        "extra": "",
    }


def listed(name: str, python: str) -> dict[str, set[str]]:
    """Package → its versions in a list, for this Python."""
    found: dict[str, set[str]] = {}
    text = (FOLDER / f"{name}.txt").read_text("utf-8")
    for line in re.findall(r"^[\w.-]+==[^\\\n]+", text, re.MULTILINE):
        requirement = Requirement(line.strip())
        if requirement.marker is None or requirement.marker.evaluate(environment(python)):
            versions = found.setdefault(canonicalize_name(requirement.name), set())
            versions.add(str(requirement.specifier))
    return found


@pytest.mark.parametrize("python", PYTHONS)
def test_what_is_installed_together_has_one_version_of_each(python: str) -> None:
    together: dict[str, set[str]] = {}
    for name in TOGETHER:
        for package, versions in listed(name, python).items():
            together.setdefault(package, set()).update(versions)
    assert len(together) > 50
    assert {package: found for package, found in together.items() if len(found) > 1} == {}


@pytest.mark.parametrize(("python", "cuda"), [("3.10.14", "12"), ("3.11.2", "13"), ("3.12.3", "13")])
def test_the_gpus_runtime_comes_with_one_cuda_and_takes_the_place_of_the_cpus(python: str, cuda: str) -> None:
    gpu, serve = listed("gpu", python), listed("serve", python)
    assert "onnxruntime-gpu" in gpu
    assert "onnxruntime" in serve  # which scripts/_env.sh uninstalls: they share their files
    assert gpu.keys().isdisjoint(serve.keys())
    assert f"nvidia-cudnn-cu{cuda}" in gpu
    assert all(name.endswith("-cu12") == (cuda == "12") for name in gpu if name.startswith("nvidia-cu"))


@pytest.mark.parametrize(
    "lists", [("serve",), TOGETHER, ("develop", "torch"), ("peer-mosec",), ("peer-litserve",)]
)
def test_nothing_that_a_package_asks_for_is_missing(lists: tuple[str, ...]) -> None:
    """As far as the packages are installed here, and so tell what they ask for."""
    python = ".".join(map(str, sys.version_info[:3]))
    packages = {package for name in lists for package in listed(name, python)}
    missing = set()
    for package in packages:
        try:
            requires = importlib.metadata.requires(package) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        for requirement in map(Requirement, requires):
            wanted = requirement.marker is None or requirement.marker.evaluate(environment(python))
            if wanted and canonicalize_name(requirement.name) not in packages:
                missing.add(f"{package} asks for {requirement.name}")
    assert missing == set()
