from pathlib import Path

import pytest
from tandem_triton import ClientOptions, RetryPolicy, TlsOptions
from tandem_triton.core.options import url_of


@pytest.mark.parametrize(
    "wrong",
    [
        {"model": ""},
        {"timeout_s": 0},
        {"max_in_flight": 0},
        {"admission_timeout_s": -1},
        {"metadata": (("Authorization", "upper case"),)},
        {"metadata": (("authorization", "Bearer …"),)},
        {"metadata": (("authorization", "two\nlines"),)},
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


def test_urls() -> None:
    assert url_of(None, "grpc") == "127.0.0.1:8001"
    assert url_of(None, "http") == "127.0.0.1:8000"
    assert url_of("cards:9001", "http") == "cards:9001"
    with pytest.raises(ValueError, match="without a scheme"):
        url_of("https://cards", "http")
