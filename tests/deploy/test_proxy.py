"""nginx in front of Triton's HTTP: TLS with certificates of callers, and nothing but the card reader."""

from __future__ import annotations

import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from tandem_triton import Client, ClientOptions, TandemError
from tandem_triton.core.options import RetryPolicy, TlsOptions

from tandem.runtime.server import TritonServer
from tests.conftest import StartTriton
from tests.deploy.programs import ROOT, find_program

pytestmark = pytest.mark.triton
MODELS = ROOT / "tests/client/model_repository"
# The test model takes it for a picture; so large that a careless nginx would write it to a file.
PICTURE = b"\x89PNG" + bytes(8 * 2**20)
MAIN = """
daemon off; pid {folder}/pid; error_log stderr;
events {{}}
http {{
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  include {folder}/tandem.conf;
}}
"""
START_S = 20


@pytest.fixture
def tls(tmp_path: Path) -> TlsOptions:
    """The files that nginx reads, and a caller's options."""
    authority = trustme.CA()
    server, caller = authority.issue_cert("127.0.0.1"), authority.issue_cert("caller@tandem.test")
    authority.cert_pem.write_to_path(str(tmp_path / "ca.crt"))
    server.cert_chain_pems[0].write_to_path(str(tmp_path / "tls.crt"))
    server.private_key_pem.write_to_path(str(tmp_path / "tls.key"))
    caller.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "caller.pem"))
    return TlsOptions(
        root_certificates=tmp_path / "ca.crt",
        private_key=tmp_path / "caller.pem",
        certificate_chain=tmp_path / "caller.pem",
    )


@pytest.fixture
def triton(start_triton: StartTriton) -> TritonServer:
    return start_triton(MODELS)


@pytest.fixture
def proxy(triton: TritonServer, tls: TlsOptions, tmp_path: Path) -> Iterator[str]:
    """`host:port` of an nginx with the repository's configuration, but for its addresses and files."""
    program = find_program("nginx", "apt install nginx-light")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    config = (ROOT / "deploy/nginx/tandem.conf").read_text("utf-8")
    for old, new in {
        "listen 8443": f"listen 127.0.0.1:{port}",
        "/etc/tandem/tls": str(tmp_path),
        "http://127.0.0.1:8000": f"http://{triton.http_url}",
    }.items():
        assert old in config
        config = config.replace(old, new)
    (tmp_path / "tandem.conf").write_text(config)
    (tmp_path / "nginx.conf").write_text(MAIN.format(folder=tmp_path))
    command: list[str | Path] = [program, "-c", tmp_path / "nginx.conf", "-p", tmp_path, "-e", "stderr"]
    with subprocess.Popen(command) as process:
        deadline = time.monotonic() + START_S
        while not listens(port):
            assert process.poll() is None
            assert time.monotonic() < deadline
        yield f"127.0.0.1:{port}"
        process.terminate()
        process.wait()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def status(url: str, tls: TlsOptions) -> int:
    context = ssl.create_default_context(cafile=str(tls.root_certificates))
    context.load_cert_chain(str(tls.certificate_chain))
    try:
        with urllib.request.urlopen(url, timeout=60, context=context) as answer:  # noqa: S310
            code: int = answer.status
            return code
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def test_a_known_caller_is_served_and_no_picture_is_written(
    proxy: str, tls: TlsOptions, tmp_path: Path
) -> None:
    with Client(proxy, protocol="http", options=ClientOptions(tls=tls)) as client:
        assert len(client.recognize_json(PICTURE)["cards"]) == 1
    assert not any((tmp_path / "body").iterdir())
    assert not any((tmp_path / "proxy").iterdir())


def test_a_stranger_is_not(proxy: str, tls: TlsOptions) -> None:
    stranger = TlsOptions(root_certificates=tls.root_certificates)
    options = ClientOptions(tls=stranger, retry=RetryPolicy(attempts=1))
    with Client(proxy, protocol="http", options=options) as client, pytest.raises(TandemError):
        client.recognize_json(PICTURE)


def test_only_the_card_reader_can_be_reached(proxy: str, tls: TlsOptions) -> None:
    assert status(f"https://{proxy}/v2/health/ready", tls) == 200
    assert status(f"https://{proxy}/v2/models/id_card/ready", tls) == 200
    for path in (
        "/v2",
        "/v2/models/echo/ready",
        "/v2/logging",
        "/v2/trace/setting",
        "/v2/systemsharedmemory/status",
    ):
        assert status(f"https://{proxy}{path}", tls) == 403, path
