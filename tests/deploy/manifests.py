"""The Kubernetes manifests as kustomize makes them, and the compose files with their variables."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import yaml

from tests.deploy.programs import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
Manifests: TypeAlias = dict[str, dict[str, Any]]


_VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")


def parsed(path: Path, **variables: str) -> dict[str, Any]:
    """A compose file, its variables or their defaults filled in, as compose does before it validates."""
    text = _VARIABLE.sub(lambda found: variables.get(found[1], found[2]), path.read_text("utf-8"))
    document: dict[str, Any] = yaml.safe_load(text)
    return document


def all_components() -> list[str]:
    """Every component, in the order that the overlays' comment has them."""
    text = (FOLDER / "overlays/cpu/kustomization.yaml").read_text("utf-8")
    names = re.findall(r"components/(\w+)", text)
    assert set(names) == {path.name for path in (FOLDER / "components").iterdir()}
    return names


def build(folder: Path) -> Manifests:
    """Kind/name → manifest, as kustomize makes them."""
    commands = {"kustomize": ["kustomize", "build"], "kubectl": ["kubectl", "kustomize"]}
    command = next((commands[name] for name in commands if shutil.which(name)), None)
    if command is None:
        pytest.skip("neither kustomize nor kubectl is installed")
    done = subprocess.run([*command, folder], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    manifests = list(yaml.safe_load_all(done.stdout))
    return {f"{manifest['kind']}/{manifest['metadata']['name']}": manifest for manifest in manifests}


def build_with(components: Sequence[str], folder: Path) -> Manifests:
    """The overlay `cpu` with these components, in this order; copied into `folder`."""
    copy = folder / "kubernetes"
    shutil.copytree(FOLDER, copy)
    chosen = copy / "overlays/cpu/kustomization.yaml"
    listed = yaml.safe_dump({"components": [f"../../components/{name}" for name in components]})
    chosen.write_text(chosen.read_text("utf-8") + listed)
    return build(chosen.parent)
