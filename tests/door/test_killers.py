"""What kills the embedded Triton, or fills its machine's memory, sent through the door over HTTP and gRPC.

Each gets its decided answer; the Triton is the same process afterwards, holds what it held, and answers.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import grpc
import pytest
from tandem_triton.transport.wire import HEADER_LENGTH, pack_element
from tritonclient.grpc import service_pb2, service_pb2_grpc

from tests.door.process import DoorProcess
from tests.door.unchanged import ITEM, nothing_changes

pytestmark = pytest.mark.triton
MIB = 2**20
assert nothing_changes  # the fixture
DEEP_DATA = (
    b'{"inputs":[{"name":"TEXT","datatype":"BYTES","shape":[1,1],"data":'
    + b"[" * 200_000
    + b"]" * 200_000
    + b"}]}"
)


def infer_body(**changes: object) -> tuple[bytes, dict[str, str]]:
    """An ordinary request of KServe's protocol over HTTP, with changes of its JSON."""
    tensor = pack_element(ITEM)
    one = {
        "name": "IMAGE",
        "datatype": "BYTES",
        "shape": [1, 1],
        "parameters": {"binary_data_size": len(tensor)},
    }
    head = json.dumps({"inputs": [one], **changes}).encode()
    return head + tensor, {HEADER_LENGTH: str(len(head))}


def infer(door: DoorProcess, **changes: object) -> tuple[int, dict[str, object]]:
    body, headers = infer_body(**changes)
    status, _, answer = door.ask("POST", "/v2/models/id_card/infer", body, headers)
    return status, json.loads(answer)


def message(**changes: object) -> service_pb2.ModelInferRequest:
    request = service_pb2.ModelInferRequest(model_name="id_card", **changes)
    request.inputs.add(name="IMAGE", datatype="BYTES", shape=[1, 1])
    request.raw_input_contents.append(pack_element(ITEM))
    return request


def grpc_error(door: DoorProcess, request: service_pb2.ModelInferRequest) -> tuple[grpc.StatusCode, str]:
    options = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(door.grpc, options=options) as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        with pytest.raises(grpc.RpcError) as caught:
            stub.ModelInfer(request, timeout=120)
    return caught.value.code(), caught.value.details() or ""


def test_a_classification_of_the_output(door: DoorProcess) -> None:
    status, answer = infer(door, outputs=[{"name": "RESULT", "parameters": {"classification": 5}}])
    assert (status, answer["code"]) == (400, "UNIMPLEMENTED")
    assert answer["error"] == "parameters of an output never pass: classification"

    request = message()
    request.outputs.add(name="RESULT").parameters["classification"].int64_param = 5
    assert grpc_error(door, request) == (
        grpc.StatusCode.UNIMPLEMENTED,
        "parameters of an output never pass: classification",
    )


@pytest.mark.parametrize(
    "text", [b'{"inputs":' + b"[" * 200_000, b'{"inputs":' + b'{"a":' * 200_000, b"[" * 60_000, DEEP_DATA]
)
@pytest.mark.parametrize("service", ["id_card", "reverse_text"])
def test_deep_json(door: DoorProcess, service: str, text: bytes) -> None:
    status, _, answer = door.ask("POST", f"/v2/models/{service}/infer", text)
    assert (status, json.loads(answer)["code"]) == (400, "INVALID_ARGUMENT")
    headers = {"Content-Type": "application/json"}
    status, _, answer = door.ask("POST", f"/v1/{service}", text, headers)
    assert (status, json.loads(answer)["code"]) == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize("piece", [b"{},", b'"a",', b"[],", b'{"name":"a","datatype":"","shape":[]},'])
def test_wide_json(door: DoorProcess, piece: bytes) -> None:
    text = b'{"inputs":[' + piece * (2 * MIB // len(piece)) + b"{}]}"
    for service in ("id_card", "reverse_text"):
        status, _, answer = door.ask("POST", f"/v2/models/{service}/infer", text)
        assert (status, json.loads(answer)["code"]) == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize("path", ["/v1/id_card", "/v2/models/id_card/infer"])
def test_a_body_of_one_byte_chunks(door: DoorProcess, path: str) -> None:
    host, _, port = door.http.partition(":")
    with closing(socket.create_connection((host, int(port)), timeout=60)) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        for _ in range(100):
            connection.sendall(b"1\r\n \r\n" * 8_000)
        connection.sendall(b"0\r\n\r\n")
        head = connection.recv(4096)
    assert head.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("size_mib", [500, 900])
def test_a_huge_grpc_message(door: DoorProcess, size_mib: int) -> None:
    request = message()
    request.raw_input_contents[0] = bytes(size_mib * MIB)
    code, _ = grpc_error(door, request)
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.parametrize("path", ["/v1/id_card", "/v2/models/id_card/infer"])
@pytest.mark.parametrize("size_mib", [500, 900])
def test_a_huge_http_body(door: DoorProcess, path: str, size_mib: int) -> None:
    status, _, answer = door.ask("POST", path, b"", {"Content-Length": str(size_mib * MIB)})
    assert (status, json.loads(answer)["code"]) == (413, "INVALID_ARGUMENT")

    def pieces() -> Iterator[bytes]:
        for _ in range(size_mib):
            yield bytes(MIB)

    with suppress(ConnectionError):  # the door hangs up on who sends on and on
        status, _, answer = door.ask("POST", path, pieces(), {"Transfer-Encoding": "chunked"})
        assert status == 413


def wide(field: int, count: int, content: bytes = b"") -> bytes:
    """A message of so many short parts."""
    return (bytes([field << 3 | 2, len(content)]) + content) * count


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(wide(5, 5_000_000), id="ten million bytes of empty inputs"),
        pytest.param(wide(7, 5_000_000), id="empty tensors"),
        pytest.param(wide(4, 2_000_000, b"\x0a\x01a"), id="parameters"),
        pytest.param(b"\x2a\x80\x80\x80\x04" + wide(3, 4 * MIB), id="a tensor of empty shapes"),
        pytest.param(bytes([5 << 3 | 2]) + b"\x80" * 20, id="an endless length"),
        pytest.param(bytes([5 << 3 | 3]) * 100_000, id="deep groups"),
    ],
)
def test_a_wide_or_broken_message(door: DoorProcess, text: bytes) -> None:
    with grpc.insecure_channel(door.grpc, options=[("grpc.max_send_message_length", -1)]) as channel:
        call: Any = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
        with pytest.raises(grpc.RpcError) as caught:
            call(text, timeout=60)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_a_compressed_message(door: DoorProcess) -> None:
    request = message()
    request.raw_input_contents[0] = bytes(30 * MIB)
    with grpc.insecure_channel(door.grpc, compression=grpc.Compression.Gzip) as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        with pytest.raises(grpc.RpcError) as caught:
            stub.ModelInfer(request, timeout=60)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
    status, _, _ = door.ask("POST", "/v1/id_card", bytes(100), {"Content-Encoding": "gzip"})
    assert status == 415


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"parameters": {"sequence_id": 3}}, "UNIMPLEMENTED"),
        ({"parameters": {"priority": 1}}, "UNIMPLEMENTED"),
        ({"outputs": [{"name": "OTHER"}]}, "INVALID_ARGUMENT"),
        ({"outputs": [{"name": "RESULT"}, {"name": "RESULT"}]}, "INVALID_ARGUMENT"),
        ({"inputs": []}, "INVALID_ARGUMENT"),
        ({"surprise": 1}, "INVALID_ARGUMENT"),
        (
            {
                "inputs": [
                    {
                        "name": "IMAGE",
                        "datatype": "BYTES",
                        "shape": [1, 1],
                        "parameters": {"shared_memory_region": "a", "shared_memory_byte_size": 8},
                    }
                ]
            },
            "UNIMPLEMENTED",
        ),
    ],
)
def test_what_never_passes_over_http(door: DoorProcess, changes: dict[str, object], code: str) -> None:
    status, answer = infer(door, **changes)
    assert (status, answer["code"]) == (400, code)


@pytest.mark.parametrize(
    "shape", [[1], [2, 1], [1, 2], [-1, 1], [0, 1], [1, 1, 1], [2**62, 1], [2**31, 2**33], []]
)
def test_wrong_shapes(door: DoorProcess, shape: list[int]) -> None:
    tensor: dict[str, object] = {"name": "IMAGE", "datatype": "BYTES", "shape": shape, "data": ["a"]}
    status, answer = infer_json(door, [tensor])
    assert (status, answer["code"]) == (400, "INVALID_ARGUMENT")
    request = message()
    request.inputs[0].shape[:] = shape
    assert grpc_error(door, request)[0] is grpc.StatusCode.INVALID_ARGUMENT


def infer_json(door: DoorProcess, inputs: list[Any]) -> tuple[int, dict[str, object]]:
    text = json.dumps({"inputs": inputs}).encode()
    status, _, answer = door.ask("POST", "/v2/models/id_card/infer", text)
    return status, json.loads(answer)


@pytest.mark.parametrize("model", ["decode_image", "echo", "nothing", "..", "id_card%00", "x" * 5000])
def test_other_models(door: DoorProcess, model: str) -> None:
    body, headers = infer_body()
    status, _, answer = door.ask("POST", f"/v2/models/{model}/infer", body, headers)
    assert status in (404, 501), answer
    status, _, answer = door.ask("GET", f"/v2/models/{model}")
    assert status in (404, 501), answer
    request = message()
    request.model_name = model
    assert grpc_error(door, request)[0] is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v2/repository/index"),
        ("POST", "/v2/repository/models/id_card/unload"),
        ("POST", "/v2/repository/models/id_card/load"),
        ("GET", "/v2/systemsharedmemory/status"),
        ("POST", "/v2/systemsharedmemory/region/a/register"),
        ("POST", "/v2/cudasharedmemory/unregister"),
        ("POST", "/v2/trace/setting"),
        ("POST", "/v2/logging"),
        ("POST", "/v2/models/id_card/generate"),
    ],
)
def test_closed_paths(door: DoorProcess, method: str, path: str) -> None:
    status, _, answer = door.ask(method, path, b"{}")
    assert (status, json.loads(answer)["code"]) == (501, "UNIMPLEMENTED")


def test_closed_methods(door: DoorProcess) -> None:
    open_ones = {"ServerLive", "ServerReady", "ModelReady", "ServerMetadata", "ModelMetadata", "ModelInfer"}
    open_ones |= {"ModelConfig", "ModelStatistics"}
    methods = service_pb2.DESCRIPTOR.services_by_name["GRPCInferenceService"].methods
    with grpc.insecure_channel(door.grpc) as channel:
        for method in methods:
            if method.name in open_ones:
                continue
            call: Any = channel.unary_unary(f"/inference.GRPCInferenceService/{method.name}")
            with pytest.raises(grpc.RpcError) as caught:
                call(b"", timeout=20)
            assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
            assert "the door passes" in (caught.value.details() or "")
