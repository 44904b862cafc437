from __future__ import annotations

from pathlib import Path

import pytest

from tandem.runtime.access import Access, TlsFiles

TOKEN = "0123456789abcdef"  # noqa: S105 - nobody's
ADMIN = "fedcba9876543210"


def restricted(access: Access, flag: str) -> dict[str, str]:
    """Interface → "header=token" of the options with this name."""
    rules: dict[str, str] = {}
    for argument in access.arguments():
        name, _, value = argument.partition("=")
        if name == flag:
            interfaces, _, secret = value.partition(":")
            assert not rules.keys() & set(interfaces.split(",")), "Triton refuses what is named twice"
            rules |= dict.fromkeys(interfaces.split(","), secret)
    return rules


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    path = tmp_path / "some.pem"
    path.touch()
    return path


@pytest.mark.parametrize("flag", ["--grpc-restricted-protocol", "--http-restricted-api"])
def test_what_can_change_the_server_is_closed_and_the_models_are_open(flag: str) -> None:
    rules = restricted(Access(admin_token=ADMIN), flag)
    closed = {"model-repository", "shared-memory", "trace", "logging"}
    assert rules == dict.fromkeys(closed, f"tandem-admin={ADMIN}")


def test_every_server_has_a_token_of_its_own_and_hides_it() -> None:
    first, second = Access(), Access(caller_token=TOKEN)
    assert first.admin_token != second.admin_token
    assert first.admin_token not in repr(first)
    assert TOKEN not in repr(second)


def test_a_caller_token_closes_the_models_on_both_protocols() -> None:
    access = Access(caller_token=TOKEN)
    for flag in ("--grpc-restricted-protocol", "--http-restricted-api"):
        assert restricted(access, flag)["inference"] == f"tandem-token={TOKEN}"


def test_with_tls_http_does_not_serve_models(pem: Path) -> None:
    access = Access(admin_token=ADMIN, caller_token=TOKEN, tls=TlsFiles(certificate=pem, key=pem))
    assert restricted(access, "--http-restricted-api")["inference"] == f"tandem-admin={ADMIN}"
    assert restricted(access, "--grpc-restricted-protocol")["inference"] == f"tandem-token={TOKEN}"
    assert {"--grpc-use-ssl=true", f"--grpc-server-key={pem}"} <= set(access.arguments())
    assert "--grpc-use-ssl-mutual=true" not in access.arguments()


def test_client_authorities_make_tls_mutual(pem: Path) -> None:
    tls = TlsFiles(certificate=pem, key=pem, client_authorities=pem)
    assert {"--grpc-use-ssl-mutual=true", f"--grpc-root-cert={pem}"} <= set(Access(tls=tls).arguments())


@pytest.mark.parametrize(
    "token", ["", "short", "0123456789abcde", "0123456789:abcdef", "0123456789=abcdef", "0123456789 abcdef"]
)
def test_tokens_that_can_be_guessed_or_misread_are_refused(token: str) -> None:
    with pytest.raises(ValueError, match="16 or more") as caught:
        Access(caller_token=token)
    assert not token or token not in str(caught.value)


def test_a_missing_certificate_is_named(pem: Path) -> None:
    with pytest.raises(ValueError, match=r"no-such\.pem"):
        TlsFiles(certificate=pem.with_name("no-such.pem"), key=pem)
