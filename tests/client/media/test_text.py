from __future__ import annotations

from pathlib import Path

import pytest
from tandem_triton import BadItemError, ItemTypeError, encode_text

TEXT = "你好, world\n"


@pytest.mark.parametrize("text", [TEXT, TEXT.encode(), bytearray(TEXT.encode()), memoryview(TEXT.encode())])
def test_a_text_is_sent_as_utf8(text: str | bytes) -> None:
    assert encode_text(text) == TEXT.encode()


def test_a_path_is_a_file_and_a_string_never(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(b"\xff as it is")
    assert encode_text(path) == b"\xff as it is"
    assert encode_text(str(path)) == str(path).encode()


def test_what_can_not_be_sent_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadItemError, match="can't read the file: No such file"):
        encode_text(tmp_path / "missing.txt")
    with pytest.raises(BadItemError, match="character 2 of the text"):
        encode_text("ab\ud800")
    with pytest.raises(ItemTypeError, match="not a text: int"):
        encode_text(42)  # type: ignore[arg-type]
