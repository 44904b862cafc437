from __future__ import annotations

from pathlib import Path

import pytest

from tandem.runtime.__main__ import parse_arguments

TOKEN = "0123456789abcdef"  # noqa: S105 - nobody's


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    paths = {name: tmp_path / name for name in ("token", "short", "certificate", "key", "authorities")}
    for path in paths.values():
        path.touch()
    paths["token"].write_text(TOKEN + "\n")
    paths["short"].write_text("secret")
    return {name: str(path) for name, path in paths.items()}


def test_files_say_who_may_call_what(files: dict[str, str]) -> None:
    options, _ = parse_arguments(
        [
            *("--token-file", files["token"], "--admin-token-file", files["token"]),
            *("--tls-certificate", files["certificate"], "--tls-key", files["key"]),
            *("--tls-client-authorities", files["authorities"]),
        ]
    )
    assert options.access.caller_token == options.access.admin_token == TOKEN
    assert options.access.tls is not None
    assert str(options.access.tls.client_authorities) == files["authorities"]


def test_without_them_everybody_may_use_the_models_and_nobody_the_rest() -> None:
    options, set_up_only = parse_arguments([])
    assert options.access.caller_token is None
    assert options.access.tls is None
    assert len(options.access.admin_token) == 64
    assert not set_up_only


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--tls-key", "{key}"], "go together"),
        (["--tls-client-authorities", "{authorities}"], "needs --tls-certificate"),
        (["--tls-certificate", "{key}", "--tls-key", "missing.pem"], "missing.pem"),
        (["--token-file", "{short}"], "16 or more"),
        (["--token-file", "missing"], "missing"),
        (["--grpc-port", "-1"], "grpc_port"),
    ],
)
def test_what_does_not_fit_is_said_and_no_token_is_shown(
    arguments: list[str], said: str, files: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse_arguments([argument.format(**files) for argument in arguments])
    message = capsys.readouterr().err
    assert said in message
    assert "secret" not in message
