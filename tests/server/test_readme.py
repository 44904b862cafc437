"""The README's examples run as they stand there; only the ports are this test's own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.triton
ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TRUTH = json.loads((ROOT / "docs/images/sample.json").read_text(encoding="utf-8"))[0]["cards"][0]["fields"]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("number", range(len(blocks("python"))))
def test_a_python_example_prints_what_the_sample_says(triton_server, number):
    code = blocks("python")[number].replace("127.0.0.1:8001", triton_server.grpc_url)
    assert triton_server.grpc_url in code
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert any(value in done.stdout for value in TRUTH.values())


def test_the_shown_result_says_what_the_sample_says():
    fields = re.search(r'"fields": (\{.*?\})', blocks("text")[0], re.DOTALL)
    assert fields
    assert json.loads(fields.group(1)) == TRUTH


def test_every_command_shown_exists():
    for line in "".join(blocks("bash")).splitlines():
        command = line.split()[0]
        if command.startswith((".venv/", "python", "curl")):
            continue
        assert (ROOT / command).exists(), line


def test_every_file_linked_exists():
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    for link in links:
        if not link.startswith("http"):
            assert (ROOT / link).exists(), link
