"""`tritonclient` and perf_analyzer work against the door as against a Triton."""

from __future__ import annotations

import csv
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tritonclient.grpc
import tritonclient.http

from tandem.batching.measure.perf_analyzer import find_perf_analyzer, item_data, library_folder
from tests.client.orders import order
from tests.door.process import DoorProcess

pytestmark = pytest.mark.triton
PROTOCOLS = {"grpc": tritonclient.grpc, "http": tritonclient.http}


@pytest.fixture(params=sorted(PROTOCOLS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def client_of(kind: str, door: DoorProcess) -> Any:
    return PROTOCOLS[kind].InferenceServerClient(door.grpc if kind == "grpc" else door.http)


def tensor(kind: str, name: str, items: list[bytes]) -> Any:
    made = PROTOCOLS[kind].InferInput(name, [len(items), 1], "BYTES")
    made.set_data_from_numpy(np.array([[item] for item in items], np.object_))
    return made


def numbers(result: Any) -> list[str]:
    texts = [json.loads(text) for text in result.as_numpy("RESULT").ravel()]
    return [
        each["cards"][0]["fields"]["公民身份号码"] if "cards" in each else each["error"]["code"]
        for each in texts
    ]


def test_inference(door: DoorProcess, kind: str) -> None:
    client = client_of(kind, door)
    one = client.infer(
        "id_card", [tensor(kind, "IMAGE", [order(number="1")])], request_id="mine", model_version="1"
    )
    assert numbers(one) == ["1"]
    response = one.get_response()
    assert (response["id"] if kind == "http" else response.id) == "mine"
    output = PROTOCOLS[kind].InferRequestedOutput("RESULT")
    three = [order(number="1"), b"x", order(number="3")]
    many = client.infer("id_card", [tensor(kind, "IMAGE", three)], outputs=[output])
    assert numbers(many) == ["1", "INVALID_ARGUMENT", "3"]
    with pytest.raises(tritonclient.utils.InferenceServerException, match="can't be decoded"):
        client.infer("id_card", [tensor(kind, "IMAGE", [b"x"])])
    client.close()


def test_options(door: DoorProcess, kind: str) -> None:
    client = client_of(kind, door)
    inputs = [tensor(kind, "TEXT", [b"ab", b"cd"]), tensor(kind, "OPTIONS", [b'{"upper":true}', b"{}"])]
    result = client.infer("reverse_text", inputs).as_numpy("RESULT").ravel()
    assert [json.loads(text)["text"] for text in result] == ["BA", "dc"]
    inputs[1] = tensor(kind, "OPTIONS", [b'{"other":1}', b"{}"])
    with pytest.raises(tritonclient.utils.InferenceServerException, match="no option other"):
        client.infer("reverse_text", inputs)
    client.close()


def test_json_tensors(door: DoorProcess) -> None:
    for data in (["ab"], [["ab"]]):
        one = {"name": "TEXT", "datatype": "BYTES", "shape": [1, 1], "data": data}
        body = json.dumps({"id": "a", "inputs": [one]}).encode()
        status, _, text = door.ask("POST", "/v2/models/reverse_text/versions/1/infer", body)
        answer = json.loads(text)
        assert (status, answer["id"], answer["model_name"]) == (200, "a", "reverse_text")
        assert json.loads(answer["outputs"][0]["data"][0]) == {"text": "ba"}


def test_what_is_told_of_a_model(door: DoorProcess, kind: str) -> None:
    client = client_of(kind, door)
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("id_card")
    plain = {"as_json": True} if kind == "grpc" else {}
    assert client.get_model_metadata("id_card", **plain)["inputs"][0]["name"] == "IMAGE"
    config = client.get_model_config("id_card", **plain)
    assert (config["config"] if kind == "grpc" else config)["max_batch_size"] == 2
    before = _count(client, plain)
    client.infer("id_card", [tensor(kind, "IMAGE", [order(number="1")])])
    assert _count(client, plain) == before + 1
    told = {each["name"] for each in client.get_inference_statistics(**plain)["model_stats"]}
    assert told == {"id_card", "reverse_text"}  # not `echo`, which is no service
    assert set(client.get_server_metadata(**plain)["extensions"]) == {
        "binary_tensor_data",
        "model_configuration",
        "statistics",
    }
    client.close()


def _count(client: Any, plain: dict[str, bool]) -> int:
    (told,) = client.get_inference_statistics("id_card", **plain)["model_stats"]
    return int(told["inference_count"])


def test_perf_analyzer(door: DoorProcess, kind: str, tmp_path: Path) -> None:
    data, report = tmp_path / "data.json", tmp_path / "report.csv"
    data.write_text(json.dumps(item_data([order(number="1")], "IMAGE")))
    words = [
        str(find_perf_analyzer()),
        "-m",
        "id_card",
        "-i",
        kind,
        "-u",
        door.grpc if kind == "grpc" else door.http,
    ]
    words += ["--input-data", str(data), "--concurrency-range", "4", "-p", "1000", "-r", "3", "-s", "999"]
    environment = {**os.environ, "LD_LIBRARY_PATH": str(library_folder(tmp_path / "lib"))}
    done = subprocess.run(
        [*words, "-f", str(report)], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert report.exists(), done.stdout + done.stderr
    with report.open() as lines:
        assert float(next(csv.DictReader(lines))["Inferences/Second"]) > 0
