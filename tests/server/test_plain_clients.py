"""The contract as a stranger meets it: tritonclient over gRPC and HTTP, perf_analyzer, the JSON Schema."""

from __future__ import annotations

import json
import os
import subprocess
from importlib.resources import files
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import tritonclient.grpc
import tritonclient.http

from tandem.batching.measure.perf_analyzer import find_perf_analyzer, library_folder

pytestmark = pytest.mark.triton
ROOT = Path(__file__).parents[2]
PICTURES = "deploy/perf_analyzer/id_card.json"
GOOD = (ROOT / "docs" / "images" / "sample.jpg").read_bytes()
FIELDS = json.loads((ROOT / "docs/images/sample.json").read_text(encoding="utf-8"))[0]["cards"][0]["fields"]


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_a_plain_client_gets_the_contracts_json(triton_server, protocol):
    library = getattr(tritonclient, protocol)
    url = triton_server.grpc_url if protocol == "grpc" else triton_server.http_url
    with library.InferenceServerClient(url) as client:
        image = library.InferInput("IMAGE", [1, 1], "BYTES")
        image.set_data_from_numpy(np.array([[GOOD]], np.object_))
        answer = json.loads(client.infer("id_card", [image]).as_numpy("RESULT").item())
    schema = json.loads((files("tandem.services.id_card") / "result.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(answer, schema)
    (card,) = answer["cards"]
    assert card["side"] == "portrait"
    assert card["fields"] == FIELDS
    assert card["checks"]["number_checksum"] is True


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_perf_analyzer_runs_with_the_shipped_pictures(triton_server, protocol, tmp_path):
    url = triton_server.grpc_url if protocol == "grpc" else triton_server.http_url
    report = tmp_path / "report.csv"
    command = [find_perf_analyzer(), "-m", "id_card", "-i", protocol, "-u", url, "--input-data", PICTURES]
    command += ["--concurrency-range", "2", "--measurement-mode", "count_windows"]
    command += ["--measurement-request-count", "20", "--stability-percentage", "999", "--max-trials", "8"]
    done = subprocess.run(
        [*command, "-f", report],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "LD_LIBRARY_PATH": str(library_folder(tmp_path / "libraries"))},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Inferences/Second" in report.read_text()
