"""Paths with spaces and Chinese characters, which Triton's Python backend misreads."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tandem.runtime.errors import InstallationError
from tandem.runtime.plain_paths import PlainPaths
from tandem.runtime.setup import CHECKOUT
from tests.conftest import AddModel

ODD = "我的 项目 (1)'"
TIMEOUT_S = 120.0
GRAPH = "double (float[n,k] X) => (float[n,k] Y) { Y = Add(X, X) }"
CONFIG = """
max_batch_size: 2
input [ { name: "X" data_type: TYPE_FP32 dims: [ -1 ] } ]
output [ { name: "Y" data_type: TYPE_FP32 dims: [ -1 ] } ]
"""


def test_a_plain_path_stays_and_another_becomes_a_link(tmp_path: Path) -> None:
    paths = PlainPaths()
    assert paths.plain(Path("/a/b-c_1.2")) == Path("/a/b-c_1.2")
    odd = tmp_path / ODD
    odd.mkdir()
    link = paths.plain(odd)
    assert link.resolve() == odd
    assert re.fullmatch(r"[A-Za-z0-9/._-]+", str(link))
    assert paths.plain(odd / "..") != link
    paths.close()
    assert not link.parent.exists()
    assert odd.exists()


def test_where_no_plain_link_can_be_made_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = tmp_path / ODD
    odd.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(odd))
    paths = PlainPaths()
    with pytest.raises(InstallationError, match="TMPDIR"):
        paths.plain(odd)
    paths.close()


@pytest.mark.triton
@pytest.mark.parametrize("language", ["C", "C.UTF-8"])
def test_a_checkout_anywhere_serves(add_model: AddModel, tmp_path: Path, language: str) -> None:
    checkout = tmp_path / ODD
    shutil.copytree(CHECKOUT / "tandem", checkout / "tandem", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / "pyproject.toml", checkout)  # so that its cache is the checkout's own
    add_model("double", GRAPH, CONFIG).rename(checkout / "models")
    command = [sys.executable, "-m", "tandem.runtime", "--model-repository", "models"]
    command += ["--grpc-port=0", "--http-port=0", "--metrics-port=0", "--start-timeout=60"]
    environment = {"PATH": os.environ["PATH"], "LC_ALL": language, "PYTHONUTF8": "1"}
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, encoding="utf-8", cwd=checkout, env=environment
    ) as process:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if line.startswith("ready: "):
                process.terminate()
        assert process.wait(TIMEOUT_S) == 0, said
    assert any(line.startswith("ready: ") for line in said), said
    assert (checkout / ".cache").is_dir()
