"""Who may call the real server: closed interfaces, tokens, TLS and mutual TLS; certificates are made here."""

from __future__ import annotations

import http.client
import json
import stat
from pathlib import Path

import grpc
import numpy as np
import pytest
import trustme
from tritonclient import grpc as triton
from tritonclient.utils import InferenceServerException

from tandem.runtime.access import ADMIN_HEADER, GRPC_PREFIX, TOKEN_HEADER, Access, TlsFiles
from tandem.runtime.server import TritonServer
from tests.conftest import AddModel, StartTriton

pytestmark = pytest.mark.triton
TOKEN = "callers-0123456789"  # noqa: S105 - of this test's server
ADMIN = "operators-0123456789"
GRAPH = "double (int64[N, 2] X) => (int64[N, 2] Y) { Y = Add(X, X) }"
CONFIG = """
max_batch_size: 2
input [ { name: "X" data_type: TYPE_INT64 dims: [ 2 ] } ]
output [ { name: "Y" data_type: TYPE_INT64 dims: [ 2 ] } ]
"""
# What this release answers; the message tells it from a server that is away.
REFUSED, WHY = "StatusCode.UNAVAILABLE", "restricted"


def infer(client: triton.InferenceServerClient, **options: object) -> list[int]:
    tensor = triton.InferInput("X", [1, 2], "INT64")
    tensor.set_data_from_numpy(np.array([[1, 2]], np.int64))
    doubled: list[int] = client.infer("double", [tensor], **options).as_numpy("Y")[0].tolist()
    return doubled


def status(server: TritonServer, method: str, path: str, headers: dict[str, str] | None = None) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", server.options.http_port, timeout=60)
    body = {"inputs": [{"name": "X", "shape": [1, 2], "datatype": "INT64", "data": [1, 2]}]}
    connection.request(method, path, json.dumps(body) if path.endswith("infer") else None, headers or {})
    answer = connection.getresponse().status
    connection.close()
    return answer


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def files(authority: trustme.CA, tmp_path: Path) -> dict[str, Path]:
    """PEM files: the authority, the server's certificate and key, a caller's."""
    paths = {
        name: tmp_path / f"{name}.pem" for name in ("ca", "server", "server-key", "caller", "caller-key")
    }
    authority.cert_pem.write_to_path(str(paths["ca"]))
    for owner, issued in {
        "server": authority.issue_cert("localhost", "127.0.0.1"),
        "caller": authority.issue_cert("caller@tandem.test"),
    }.items():
        issued.cert_chain_pems[0].write_to_path(str(paths[owner]))
        issued.private_key_pem.write_to_path(str(paths[f"{owner}-key"]))
    return paths


def connect(
    server: TritonServer, files: dict[str, Path], *, caller: str | None = None
) -> triton.InferenceServerClient:
    """A TLS client; with a caller's name it shows that certificate."""
    return triton.InferenceServerClient(
        server.grpc_url.replace("127.0.0.1", "localhost"),
        ssl=True,
        root_certificates=str(files["ca"]),
        private_key=str(files[f"{caller}-key"]) if caller else None,
        certificate_chain=str(files[caller]) if caller else None,
    )


@pytest.fixture
def closed(add_model: AddModel, start_triton: StartTriton) -> TritonServer:
    """A server as it starts by default, but with an operator's token that the test knows."""
    return start_triton(add_model("double", GRAPH, CONFIG), access=Access(admin_token=ADMIN))


CLOSED_HTTP = [
    ("POST", "/v2/repository/index"),
    ("POST", "/v2/repository/models/double/unload"),
    ("GET", "/v2/systemsharedmemory/status"),
    ("GET", "/v2/cudasharedmemory/status"),
    ("GET", "/v2/trace/setting"),
    ("GET", "/v2/logging"),
]


def test_by_default_nobody_outside_can_control_trace_or_map_memory(closed: TritonServer) -> None:
    for method, path in CLOSED_HTTP:
        assert status(closed, method, path) == http.client.FORBIDDEN, path
        assert status(closed, method, path, {ADMIN_HEADER: "wrong"}) == http.client.FORBIDDEN, path
    with triton.InferenceServerClient(closed.grpc_url) as client:
        for call in (
            client.get_model_repository_index,
            client.get_system_shared_memory_status,
            client.get_cuda_shared_memory_status,
            client.get_trace_settings,
            client.get_log_settings,
            lambda headers=None: client.unload_model("double", headers=headers),
            lambda headers=None: client.register_system_shared_memory("all", "/tandem", 8, headers=headers),
        ):
            with pytest.raises(InferenceServerException) as caught:
                call()
            assert caught.value.status() == REFUSED
            assert WHY in caught.value.message()
        # … and who uses the models notices none of it.
        assert infer(client) == [2, 4]
        assert client.get_model_config("double")
        assert client.get_inference_statistics("double")
    assert status(closed, "POST", "/v2/models/double/infer") == http.client.OK


def test_the_operators_token_opens_them(closed: TritonServer) -> None:
    assert status(closed, "POST", "/v2/repository/index", {ADMIN_HEADER: ADMIN}) == http.client.OK
    headers = {GRPC_PREFIX + ADMIN_HEADER: ADMIN}
    with triton.InferenceServerClient(closed.grpc_url) as client:
        assert [model.name for model in client.get_model_repository_index(headers=headers).models] == [
            "double"
        ]
        # Even then no model can be loaded or unloaded: the server runs without model control.
        with pytest.raises(InferenceServerException, match=r"explicit model load / unload is not allowed"):
            client.unload_model("double", headers=headers)


def test_a_token_is_asked_of_every_caller(add_model: AddModel, start_triton: StartTriton) -> None:
    server = start_triton(add_model("double", GRAPH, CONFIG), access=Access(caller_token=TOKEN))
    path = "/v2/models/double/infer"
    assert status(server, "POST", path) == http.client.FORBIDDEN
    assert status(server, "POST", path, {TOKEN_HEADER: TOKEN + "0"}) == http.client.FORBIDDEN
    assert status(server, "POST", path, {TOKEN_HEADER: TOKEN}) == http.client.OK
    assert status(server, "GET", "/v2/health/ready") == http.client.OK
    with triton.InferenceServerClient(server.grpc_url) as client:
        with pytest.raises(InferenceServerException) as caught:
            infer(client)
        assert caught.value.status() == REFUSED
        assert WHY in caught.value.message()
        assert infer(client, headers={GRPC_PREFIX + TOKEN_HEADER: TOKEN}) == [2, 4]


def test_tls_shows_the_servers_certificate_and_takes_no_plain_caller(
    add_model: AddModel, start_triton: StartTriton, files: dict[str, Path]
) -> None:
    tls = TlsFiles(certificate=files["server"], key=files["server-key"])
    server = start_triton(add_model("double", GRAPH, CONFIG), access=Access(tls=tls))
    with connect(server, files) as client:
        assert infer(client) == [2, 4]
    stranger = grpc.ssl_channel_credentials(trustme.CA().cert_pem.bytes())
    for channel in (
        grpc.insecure_channel(server.grpc_url),
        grpc.secure_channel(server.grpc_url, stranger),
    ):
        with channel, pytest.raises(grpc.FutureTimeoutError):
            grpc.channel_ready_future(channel).result(timeout=2)
    # Triton's HTTP can't encrypt: pictures don't get past it, health does.
    assert status(server, "POST", "/v2/models/double/infer") == http.client.FORBIDDEN
    assert status(server, "GET", "/v2/health/ready") == http.client.OK


def test_mutual_tls_serves_only_known_callers(
    add_model: AddModel, start_triton: StartTriton, files: dict[str, Path]
) -> None:
    tls = TlsFiles(certificate=files["server"], key=files["server-key"], client_authorities=files["ca"])
    server = start_triton(add_model("double", GRAPH, CONFIG), access=Access(tls=tls, caller_token=TOKEN))
    token = {GRPC_PREFIX + TOKEN_HEADER: TOKEN}
    with connect(server, files, caller="caller") as client:
        assert infer(client, headers=token) == [2, 4]
        with pytest.raises(InferenceServerException) as caught:
            infer(client)
        assert caught.value.status() == REFUSED
        assert WHY in caught.value.message()
    with connect(server, files) as client, pytest.raises(InferenceServerException) as caught:
        infer(client, headers=token, client_timeout=5)
    assert caught.value.status() in {"StatusCode.UNAVAILABLE", "StatusCode.DEADLINE_EXCEEDED"}


def test_the_servers_memory_is_its_users_alone_and_leaves_no_core(closed: TritonServer) -> None:
    regions = list(Path("/dev/shm").glob(f"{closed.shared_memory_prefix}*"))  # noqa: S108 - where Linux keeps it
    assert regions
    for region in regions:
        assert stat.S_IMODE(region.stat().st_mode) & 0o077 == 0, region.name
    limits = Path("/proc", str(closed.pid), "limits").read_text("utf-8")
    (core,) = [line.split() for line in limits.splitlines() if line.startswith("Max core file size")]
    assert core[4:6] == ["0", "0"]
