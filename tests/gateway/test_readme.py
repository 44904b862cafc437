"""The client README's example of the queue, run as it stands but for the broker's address."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.gateway.broker import Broker
from tests.gateway.process import ROOT, GatewayProcess

URL = "amqp://guest:guest@127.0.0.1/"

pytestmark = [pytest.mark.rabbitmq, pytest.mark.triton]


def test_the_queues_example(
    broker: Broker,
    start_gateway: Callable[..., GatewayProcess],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    readme = (ROOT / "client" / "README.md").read_text("utf-8")
    [code] = [
        code for code in re.findall(r"^```python\n(.*?)^```", readme, re.DOTALL | re.MULTILINE) if URL in code
    ]
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (120, 80)).save(tmp_path / "photo.jpg", "PNG")
    start_gateway("--prefix", "tandem")  # the example names none
    exec(compile(code.replace(URL, broker.url), "README.md", "exec"), {})  # noqa: S102 - ours
    assert capsys.readouterr().out.startswith("portrait {'姓名': '',")
