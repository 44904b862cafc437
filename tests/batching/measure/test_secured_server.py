"""A real server that speaks TLS and asks every caller for a token is measured all the same."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme

from tandem.batching.__main__ import main
from tandem.batching.measure.live_model import TOKEN_METADATA
from tandem.batching.proof.reference import ReferenceModel, write_reference_model
from tandem.runtime.access import GRPC_PREFIX, TOKEN_HEADER, Access, TlsFiles
from tests.conftest import StartTriton

TOKEN = "callers-0123456789"  # noqa: S105 - of this test's server


@pytest.mark.triton
def test_tls_and_a_token(
    tmp_path: Path, start_triton: StartTriton, capsys: pytest.CaptureFixture[str]
) -> None:
    authority = trustme.CA()
    roots, token = tmp_path / "roots.pem", tmp_path / "token"
    authority.cert_pem.write_to_path(str(roots))
    issued = authority.issue_cert("localhost")
    issued.cert_chain_pems[0].write_to_path(str(tmp_path / "server.pem"))
    issued.private_key_pem.write_to_path(str(tmp_path / "server-key.pem"))
    token.write_text(f"{TOKEN}\n")
    write_reference_model(
        tmp_path / "models", ReferenceModel(name="plain", alpha_ms=2, beta_ms=3, max_batch=2)
    )
    files = TlsFiles(certificate=tmp_path / "server.pem", key=tmp_path / "server-key.pem")
    server = start_triton(tmp_path / "models", access=Access(caller_token=TOKEN, tls=files))
    url = server.grpc_url.replace("127.0.0.1", "localhost")
    asked = ["plan", "--url", url, "--model", "plain", "--rate", "5", "--rule", "greedy", "--budget-s", "1"]
    assert main([*asked, "--tls-roots", str(roots), "--token-file", str(token)]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("recommended")
    assert "ITEM FP32" in said.err  # made up from the model's metadata
    assert TOKEN not in said.out + said.err
    assert main([*asked, "--tls-roots", str(roots)]) == 1
    assert "--token-file" in capsys.readouterr().err
    assert main([*asked, "--token-file", str(token)]) == 1  # TLS is wanted
    assert "no Triton server answers" in capsys.readouterr().err


def test_the_token_goes_where_our_server_looks() -> None:
    assert TOKEN_METADATA == GRPC_PREFIX + TOKEN_HEADER


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--token-file", "absent"], "can't be read"),
        (["--token-file", "empty"], "first line must be the token"),
        (["--tls-key", "empty"], "go together"),
        (["--tls-roots", "absent"], "can't be read"),
    ],
)
def test_files_that_are_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    (tmp_path / "empty").write_text("\n")
    option, name = options
    asked = ["plan", "--url", "127.0.0.1:9", "--model", "x", "--rate", "5"]
    assert main([*asked, option, str(tmp_path / name)]) == 1
    assert words in capsys.readouterr().err
