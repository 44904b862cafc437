from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.errors import InputError
from tandem.media.text import decode_text

PRINTED = "张三"


def test_a_text_comes_back_as_sent() -> None:
    text = " 第一行\t有空格 \r\nsecond line\n"
    assert decode_text(text.encode(), max_characters=100) == text


def test_a_byte_order_mark_is_dropped() -> None:
    assert decode_text("\ufeffabc".encode(), max_characters=3) == "abc"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty: 0 bytes"),
        (b" \n\t ", "only spaces"),
        ("\ufeff".encode(), "only spaces"),
        (f"{PRINTED}\x00".encode(), r"character 2 .* U\+0000"),
        (f"{PRINTED}\x0c".encode(), r"U\+000C.*only tab, line feed and carriage return"),
        (f"{PRINTED}\x85".encode(), r"U\+0085"),
        (PRINTED.encode("gb18030"), "not UTF-8 .*byte 0.*only UTF-8"),
        (PRINTED.encode("utf-16"), r"not UTF-8 \(UTF-16\)"),
        (PRINTED.encode()[:-1], "not UTF-8 .*byte 3"),
        (b"\xed\xa0\x80", "not UTF-8"),  # half of a surrogate pair
        (PRINTED.encode() * 11, "22 characters; at most 20 are allowed"),
        (b"a" * 2**20, r"1048576 bytes; at most 20 characters are allowed"),
    ],
)
def test_what_is_no_text_is_refused_with_what_is_allowed(data: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        decode_text(data, max_characters=20)
    assert PRINTED not in str(caught.value)
    assert caught.value.code == "INVALID_ARG"


def test_the_longest_text_of_the_widest_characters_passes() -> None:
    text = "\U00020000" * 20
    assert decode_text(text.encode(), max_characters=20) == text


@given(st.binary(max_size=60))
def test_any_bytes_give_a_text_or_an_input_error(data: bytes) -> None:
    try:
        text = decode_text(data, max_characters=20)
    except InputError:
        return
    assert 0 < len(text) <= 20
    assert text.strip()
