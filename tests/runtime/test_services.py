"""A server of some services only: what they need is loaded, nothing else, and callers can't change that."""

from __future__ import annotations

import http.client
from pathlib import Path

import pytest

from tandem.runtime.access import ADMIN_HEADER
from tandem.runtime.errors import ModelRepositoryError, UnknownServiceError
from tandem.runtime.repository import check_repositories
from tandem.runtime.server import TritonServer
from tests.conftest import AddModel, StartTriton

GRAPH = "double (float[n,k] X) => (float[n,k] Y) { Y = Add(X, X) }"
TENSORS = """
max_batch_size: 2
input [ { name: "X" data_type: TYPE_FP32 dims: [ -1 ] } ]
output [ { name: "Y" data_type: TYPE_FP32 dims: [ -1 ] } ]
"""
ENSEMBLE = (
    'platform: "ensemble"\n'
    + TENSORS
    + """
ensemble_scheduling {
  step [ { model_name: "first" model_version: -1
    input_map { key: "X" value: "X" } output_map { key: "Y" value: "MIDDLE" } },
    { model_name: "second" model_version: -1
    input_map { key: "X" value: "MIDDLE" } output_map { key: "Y" value: "Y" } } ]
}
"""
)
CALLS = 'parameters { key: "calls" value { string_value: "called, called_too" } }'


@pytest.fixture
def repository(add_model: AddModel) -> Path:
    """An ensemble of two steps, the first of which calls two models; and a model that can't be served."""
    for name in ("second", "called", "called_too"):
        folder = add_model(name, GRAPH, TENSORS)
    add_model("first", GRAPH, TENSORS + CALLS)
    add_model("broken", None, TENSORS)
    (folder / "whole" / "1").mkdir(parents=True)
    (folder / "whole" / "config.pbtxt").write_text(ENSEMBLE)
    return folder


def test_a_service_brings_its_steps_and_what_they_call(repository: Path) -> None:
    assert check_repositories([repository], ["whole"]) == ["called", "called_too", "first", "second", "whole"]
    assert check_repositories([repository], ["second"]) == ["second"]


def test_a_service_that_is_not_there_is_refused_with_those_that_are(repository: Path) -> None:
    with pytest.raises(UnknownServiceError, match=r"no model 'nonsense'.*broken, called.*whole"):
        check_repositories([repository], ["second", "nonsense"])


def test_the_same_name_in_two_repositories_is_refused(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "more" / "second").mkdir(parents=True)
    with pytest.raises(ModelRepositoryError, match=r"'second' is in .*models and in .*more"):
        check_repositories([repository, tmp_path / "more"], ["whole"])


def ask(server: TritonServer, path: str, headers: dict[str, str] | None = None) -> int:
    connection = http.client.HTTPConnection(server.http_url, timeout=60)
    try:
        connection.request("POST", path, headers=headers or {})
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.triton
def test_only_what_is_needed_is_served_and_callers_can_not_load_more(
    repository: Path, tmp_path: Path, start_triton: StartTriton
) -> None:
    (tmp_path / "more").mkdir()
    (repository / "second").rename(tmp_path / "more" / "second")  # a step from another folder
    server = start_triton(repository, further_repositories=(tmp_path / "more",), services=("whole",))
    states = server.models()
    ready = {name for name, state in states.items() if state == "READY"}
    assert ready == {"whole", "first", "second", "called", "called_too"}
    assert ask(server, "/v2/repository/models/broken/load") == http.client.FORBIDDEN
    assert ask(server, "/v2/repository/models/second/unload") == http.client.FORBIDDEN
    wrong = {ADMIN_HEADER: "0123456789abcdef"}
    assert ask(server, "/v2/repository/models/second/unload", wrong) == http.client.FORBIDDEN
    assert server.models() == states


@pytest.mark.triton
def test_localhost_is_this_machine_for_every_protocol(add_model: AddModel, start_triton: StartTriton) -> None:
    server = start_triton(add_model("double", GRAPH, TENSORS), address="localhost")
    assert server.grpc_url.startswith("127.0.0.1:")
    for url in (server.grpc_url, server.http_url, server.metrics_url):
        connection = http.client.HTTPConnection(url, timeout=10)
        connection.connect()
        connection.close()
