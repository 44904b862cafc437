from pathlib import Path

import pytest
from tandem_triton import ClientOptions, RetryPolicy, TlsOptions
from tandem_triton.core.options import url_of


@pytest.mark.parametrize(
    "wrong",
    [
        {"timeout_s": 0},
        {"max_in_flight": 0},
        {"admission_timeout_s": -1},
        {"metadata": (("Authorization", "upper case"),)},
        {"metadata": (("authorization", "Bearer …"),)},
        {"metadata": (("authorization", "two\nlines"),)},
        {"metadata": (("x-long", "x" * 100_000),)},
        {"token": "short"},
        {"token": "sixteen or more characters"},
    ],
)
def test_options_out_of_bounds_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        ClientOptions(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong", [{"attempts": 0}, {"first_pause_s": 0}, {"first_pause_s": 2, "longest_pause_s": 1}]
)
def test_retry_policies_out_of_bounds_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"attempts|pauses"):
        RetryPolicy(**wrong)  # type: ignore[arg-type]


def test_a_key_needs_its_certificate() -> None:
    with pytest.raises(ValueError, match="together"):
        TlsOptions(private_key=Path("key.pem"))


def test_waiting_for_a_place_never_outlasts_the_deadline() -> None:
    assert ClientOptions(timeout_s=5).admission_s == 5
    assert ClientOptions(timeout_s=5, admission_timeout_s=9).admission_s == 5
    assert ClientOptions(timeout_s=5, admission_timeout_s=0).admission_s == 0


@pytest.mark.parametrize("wrong", [{"authorization": "x"}, (("authorization",),), (("x", 1),), "x=1"])
def test_metadata_of_another_kind_is_refused(wrong: object) -> None:
    with pytest.raises(TypeError, match="tuple of pairs"):
        ClientOptions(metadata=wrong)  # type: ignore[arg-type]


def test_a_token_travels_under_its_protocols_name_and_is_in_no_repr() -> None:
    options = ClientOptions(token="0123456789abcdef", metadata=(("x-team", "cards"),))  # noqa: S106
    assert options.headers("prefix-") == (("prefix-tandem-token", "0123456789abcdef"), ("x-team", "cards"))
    assert "0123456789abcdef" not in repr(options)


@pytest.mark.parametrize("wrong", ["cards", ":8001", "cards:", "cards:http", "cards:0", "cards:70000", ""])
def test_a_url_without_host_or_port_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        url_of(wrong, "grpc")


def test_a_url_that_is_no_text_is_refused() -> None:
    with pytest.raises(TypeError, match="not int"):
        url_of(8001, "grpc")  # type: ignore[arg-type]


def test_urls() -> None:
    assert url_of(None, "grpc") == "127.0.0.1:8001"
    assert url_of(None, "http") == "127.0.0.1:8000"
    assert url_of("cards:9001", "http") == "cards:9001"
    assert url_of("cards:9001/behind/a/proxy", "http") == "cards:9001/behind/a/proxy"
    assert url_of("[::1]:8001", "grpc") == "[::1]:8001"
    with pytest.raises(ValueError, match="without a scheme"):
        url_of("https://cards", "http")
