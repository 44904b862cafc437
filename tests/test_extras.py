"""Each extra, installed alone in a fresh environment, runs what it is for: `scripts/test --slow -k extra`.

Needs the package index. It takes minutes an extra.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tandem.runtime.setup import CHECKOUT

INSTALL_S, RUN_S = 1800, 600
SPEECH = """
import io, ctranslate2, opencc, soundfile, tokenizers
import numpy as np
from tandem.media.audio import decode
recording = io.BytesIO()
soundfile.write(recording, np.zeros(8000, np.float32), 8000, format="WAV")
print(len(decode(recording.getvalue())), "samples")
"""
TEXT = """
import ctranslate2, gguf
from tandem.services.text_keywords.candidates import find_candidates
print([each for each in find_candidates("居民身份证在手机照片里。")])
"""
# Without a driver CUDA can't start; what it links to must be found all the same.
GPU = """
import onnxruntime
from tandem.runtime.onnx_backend.gpu_libraries import preload_libraries
from tandem.runtime.onnx_backend.providers import CUDA
preload_libraries([(CUDA, {})], onnxruntime)
mapped = open("/proc/self/maps").read()
found = all(f"lib{name}.so" in mapped for name in ("cudart", "cudnn", "cublas"))
print(CUDA in onnxruntime.get_available_providers(), found)
"""
# Extra → what is run with its environment's Python; "tandem" is the command that the client's package brings.
USES = {
    "serve": ["python", "-m", "tandem.runtime", "--services", "no_such_service"],
    "gpu": ["python", "-c", GPU],
    "gateway": ["tandem", "gateway", "--help"],
    "door": ["tandem", "door", "--help"],
    "batching": ["tandem", "plan", "--alpha-ms", "4", "--beta-ms", "8", "--rate", "60", "--instances", "2"],
    "speech": ["python", "-c", SPEECH],
    "text": ["python", "-c", TEXT],
    "training": ["python", "-m", "tandem.training.fit.detector", "--help"],
    "bench": ["python", "-c", "from tandem.evaluation.peers import rapidocr_reader; rapidocr_reader()"],
    "dev": ["python", "-m", "pytest", "--collect-only", "-q"],
}
# What each must say. The server is asked for a service that isn't there, and ends.
SAYS = {
    "serve": "there is no model 'no_such_service'",
    "gpu": "True True",
    "gateway": "--broker",
    "door": "--triton",
    "batching": "batch",
    "speech": "16000 samples",
    "text": "身份证",
    "training": "--",
    "bench": "",
    "dev": "tests/test_extras.py",
}


@pytest.mark.slow
@pytest.mark.parametrize("extra", sorted(USES))
def test_an_extra_alone_runs_what_it_is_for(extra: str, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment |= {"PYTHONUTF8": "1"}
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "env"], check=True, timeout=INSTALL_S)
    programs = tmp_path / "env" / "bin"
    # pip 23, as Python 3.11 brings it, finds no set of versions for `dev`; a newer one does.
    newer: list[str | Path] = [programs / "python", "-m", "pip", "install", "--quiet", "--upgrade", "pip"]
    subprocess.run(newer, check=True, timeout=INSTALL_S, env=environment)
    # The client's package comes from the checkout, too: it is in no index.
    install: list[str | Path] = [
        programs / "python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--editable",
        f"{CHECKOUT}[{extra}]",
    ]
    install += ["--editable", str(CHECKOUT / "client")]
    subprocess.run(install, check=True, timeout=INSTALL_S, env=environment)
    program, *arguments = USES[extra]
    done = subprocess.run(
        [programs / program, *arguments],
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
        env=environment,
        cwd=CHECKOUT if extra == "dev" else tmp_path,
    )
    assert done.returncode == (2 if extra == "serve" else 0), done.stderr
    assert SAYS[extra] in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_every_extra_is_tried() -> None:
    toml = pytest.importorskip("tomllib", reason="Python 3.11 brings it")
    project = toml.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]
    assert set(project["optional-dependencies"]) == set(USES) == set(SAYS)
