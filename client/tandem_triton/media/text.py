"""The UTF-8 bytes of whatever a caller calls a text."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias

from tandem_triton.core.errors import BadItemError, ItemTypeError

Text: TypeAlias = "str | bytes | bytearray | memoryview | os.PathLike[str]"
"""A text as a string, its UTF-8 bytes, or the path of a file that holds them (a `pathlib.Path`)."""

TEXT_TYPES = ("text/plain", "text/markdown")
"""Content types of texts."""


def encode_text(text: Text) -> bytes:
    """The UTF-8 bytes to send.

    Args:
        text: a string is the text itself, never a file's name; a `Path` is a file, sent as it is.

    Raises:
        BadItemError: the file can't be read, or the string holds half of a surrogate pair.
        ItemTypeError: none of the kinds above.
    """
    if isinstance(text, str):
        try:
            return text.encode()
        except UnicodeEncodeError as error:
            raise BadItemError(f"character {error.start} of the text can't be sent as UTF-8") from None
    if isinstance(text, (bytes, bytearray, memoryview)):
        return bytes(text)
    if isinstance(text, os.PathLike):
        try:
            return Path(text).read_bytes()
        except OSError as error:
            raise BadItemError(f"can't read the file: {error.strerror or type(error).__name__}") from error
    raise ItemTypeError(f"not a text: {type(text).__name__}; give a string, UTF-8 bytes or a Path")
