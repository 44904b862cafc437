"""The README's examples, run as they stand but for the server's address."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from PIL import Image
from tandem_triton.cli.main import main
from tandem_triton.core import errors

from tandem.runtime.server import TritonServer

README = (Path(__file__).parents[2] / "client" / "README.md").read_text("utf-8")
URL = "127.0.0.1:8001"

pytestmark = pytest.mark.triton


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)


@pytest.fixture(autouse=True)
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scans" / "deep").mkdir(parents=True)
    for path in ("photo.jpg", "scans/deep/1.jpg"):
        Image.new("RGB", (120, 80)).save(tmp_path / path, "PNG")


@pytest.mark.parametrize("code", [code for code in _blocks("python") if "amqp://" not in code])
def test_code(triton: TritonServer, code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert URL in code
    exec(compile(code.replace(URL, triton.grpc_url), "README.md", "exec"), {"__name__": "readme"})  # noqa: S102 - ours
    out = capsys.readouterr().out
    if "print(card" in code:
        assert out.startswith("portrait {'姓名': '',")
        assert "'公民身份号码': 'PNG'}" in out


@pytest.mark.parametrize("line", [line for block in _blocks("bash") for line in block.splitlines()])
def test_command(triton: TritonServer, line: str) -> None:
    program, *words = shlex.split(line)
    assert program == "tandem"
    if "--draw" in words:
        pytest.importorskip("PIL", reason="Pillow is not installed")
    assert main([*words, "--url", triton.grpc_url]) == 0


def test_every_error_is_explained() -> None:
    names = [name for name in vars(errors) if name.endswith("Error")]
    assert [name for name in names if name not in README] == []
