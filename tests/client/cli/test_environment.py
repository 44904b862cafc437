"""Options from the environment: as if they were on the command line, which wins."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from tandem_triton.cli.environment import take_environment


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=1)
    parser.add_argument("--token-file", type=Path)
    parser.add_argument("--url")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--header", action="append", default=[])
    take_environment(parser, "TANDEM_TEST_")
    return parser.parse_args(words)


def test_a_variable_is_a_default_of_the_options_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANDEM_TEST_PORT", "7")
    monkeypatch.setenv("TANDEM_TEST_TOKEN_FILE", "token")
    chosen = options()
    assert (chosen.port, chosen.token_file, chosen.url) == (7, Path("token"), None)
    assert options("--port", "8").port == 8


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANDEM_TEST_URL", "")
    monkeypatch.setenv("TANDEM_TEST_PORT", "")
    assert (options().url, options().port) == (None, 1)


def test_switches_and_lists_have_no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANDEM_TEST_TLS", "1")
    monkeypatch.setenv("TANDEM_TEST_HEADER", "a=b")
    assert (options().tls, options().header) == (False, [])


def test_a_wrong_value_is_told_as_on_the_command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TANDEM_TEST_PORT", "x")
    with pytest.raises(SystemExit) as ended:
        options()
    assert ended.value.code == 2
    assert "--port: invalid int value: 'x'" in capsys.readouterr().err
