"""The examples of docs/door.md: curl, Python and JavaScript, run as they stand against the real models."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tandem.runtime.server import TritonServer
from tests.door.process import ROOT, DoorProcess
from tests.server.conftest import triton_server

pytestmark = pytest.mark.triton
PAGE = (ROOT / "docs" / "door.md").read_text(encoding="utf-8")
PLACE = "127.0.0.1:8080"
assert triton_server  # the fixture


@pytest.fixture(scope="module")
def real_door(triton_server: TritonServer) -> Iterator[DoorProcess]:
    with DoorProcess("--triton", triton_server.grpc_url, "--services", "id_card") as door:
        yield door


def example(language: str, holds: str) -> str:
    blocks = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return next(block for block in blocks if holds in block)


def run(door: DoorProcess, command: list[str], text: str) -> str:
    done = subprocess.run(
        [*command, text.replace(PLACE, door.http)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_curl(real_door: DoorProcess) -> None:
    if not shutil.which("curl"):
        pytest.skip("needs curl")
    assert "429006199310055513" in run(real_door, ["bash", "-c"], example("bash", "curl"))


def test_python(real_door: DoorProcess) -> None:
    assert run(real_door, [sys.executable, "-c"], example("python", "urllib")) == "宋帆洋 1993-10-05\n"


def test_javascript(real_door: DoorProcess, tmp_path: Path) -> None:
    if not shutil.which("node"):
        pytest.skip("needs Node.js 18 or newer")
    script = tmp_path / "example.mjs"
    script.write_text(example("javascript", "fetch").replace(PLACE, real_door.http))
    assert run(real_door, ["node"], str(script)) == "429006199310055513 true\n"
