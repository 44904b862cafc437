from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.errors import InputError
from tandem.media.options import one_of, read_options, whole_number

CHECKS = {"count": whole_number(1, 50), "target": one_of("zh", "en")}


@pytest.mark.parametrize("data", [None, b"", b"{}", b'{"count": null}'])
def test_no_options(data: bytes | None) -> None:
    assert read_options(data, CHECKS) == {}


def test_good_options() -> None:
    assert read_options(b'{"count": 50, "target": "zh"}', CHECKS) == {"count": 50, "target": "zh"}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 4000, "not JSON"),
        (b"[1]", "not an object"),
        (b'"count"', "not an object"),
        (b'{"cnt": 1}', r"unknown keys \(1\); allowed: count, target"),
        (b'{"count": 0}', '"count" must be a whole number from 1 to 50'),
        (b'{"count": 51}', "from 1 to 50"),
        (b'{"count": true}', "whole number"),
        (b'{"count": 2.0}', "whole number"),
        (b'{"target": "fr"}', '"target" must be one of zh, en'),
        (b'{"target": ["zh"]}', "one of zh, en"),
        (b" " * 4097, "4097 bytes; at most 4096"),
    ],
)
def test_bad_options_are_refused_by_name(data: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_options(data, CHECKS)


@given(st.binary(max_size=40))
def test_any_bytes_give_options_or_an_input_error(data: bytes) -> None:
    with suppress(InputError):
        assert read_options(data, CHECKS).keys() <= CHECKS.keys()
