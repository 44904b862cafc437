from __future__ import annotations

from pathlib import Path

import pytest

from tandem.runtime.command import parse_options, server_parser
from tandem.runtime.options import ServerOptions
from tandem.runtime.setup import REPOSITORY

TOKEN = "0123456789abcdef"  # noqa: S105 - nobody's


def parse(*arguments: str, **environment: str) -> ServerOptions:
    options, _ = parse_options(server_parser("serve", "all"), list(arguments), environment)
    return options


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    paths = {name: tmp_path / name for name in ("token", "short", "certificate", "key", "authorities")}
    for path in paths.values():
        path.touch()
    paths["token"].write_text(TOKEN + "\n")
    paths["short"].write_text("secret")
    return {name: str(path) for name, path in paths.items()}


def test_files_say_who_may_call_what(files: dict[str, str]) -> None:
    options = parse(
        *("--token-file", files["token"], "--admin-token-file", files["token"]),
        *("--tls-certificate", files["certificate"], "--tls-key", files["key"]),
        *("--tls-client-authorities", files["authorities"]),
    )
    assert options.access.caller_token == options.access.admin_token == TOKEN
    assert options.access.tls is not None
    assert str(options.access.tls.client_authorities) == files["authorities"]


def test_without_them_everybody_may_use_the_models_and_nobody_the_rest() -> None:
    options = parse()
    assert options.access.caller_token is None
    assert options.access.tls is None
    assert len(options.access.admin_token) == 64


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
        parse(*(argument.format(**files) for argument in arguments))
    message = capsys.readouterr().err
    assert said in message
    assert "secret" not in message


def test_every_option_has_a_variable_and_the_command_line_wins(files: dict[str, str]) -> None:
    options = parse(
        "--http-port",
        "1",
        TANDEM_HTTP_PORT="2",
        TANDEM_GRPC_PORT="3",
        TANDEM_SERVICES="one, two",
        TANDEM_STOP_TIMEOUT="4.5",
        TANDEM_CONFIG_NAME="",
        TANDEM_TOKEN_FILE=files["token"],
        TANDEM_MODEL_REPOSITORY="/one:/two",
        TANDEM_SERVER="/opt/bin/tritonserver",
    )
    assert (options.http_port, options.grpc_port) == (1, 3)
    assert options.services == ("one", "two")
    assert options.stop_timeout_s == 4.5
    assert options.config_name is None
    assert options.access.caller_token == TOKEN
    assert options.repositories == (Path("/one"), Path("/two"))
    assert options.server == Path("/opt/bin/tritonserver")


def test_repositories_add_up_and_take_the_place_of_the_checkouts() -> None:
    assert parse().repositories == (REPOSITORY,)
    given = parse(
        "--model-repository", "/one", "--model-repository", "/two", TANDEM_MODEL_REPOSITORY="/three"
    )
    assert given.repositories == (Path("/one"), Path("/two"))


def test_an_empty_name_among_the_services_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        parse("--services", "one,,two")
    assert "no list of names" in capsys.readouterr().err
