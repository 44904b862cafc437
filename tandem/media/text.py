"""UTF-8 bytes to the text that a service works on: encoding, size and control characters are decided here."""

from __future__ import annotations

from tandem.errors import InputError

MAX_BYTES_PER_CHARACTER = 4  # of UTF-8
#: What a text may hold below U+0020; form feeds and the like come from broken conversions and hide in logs.
_ALLOWED_CONTROLS = frozenset("\t\n\r")
_BYTE_ORDER_MARK = "\ufeff"
_OTHER_MARKS = (b"\xff\xfe", b"\xfe\xff")  # what UTF-16 files begin with


def decode_text(data: bytes, *, max_characters: int) -> str:
    """The text that `data` holds, as sent; only a byte order mark in front is dropped.

    Args:
        data: UTF-8.
        max_characters: the longest text allowed, in Unicode code points.

    Raises:
        InputError: empty, too long, not UTF-8, or with control characters; the message says which, and what
            is allowed, but never quotes the text.
    """
    if not data:
        raise InputError("the text is empty: 0 bytes were sent")
    if len(data) > MAX_BYTES_PER_CHARACTER * max_characters:
        raise InputError(f"the text has {len(data)} bytes; at most {max_characters} characters are allowed")
    text = _decoded(data).removeprefix(_BYTE_ORDER_MARK)
    if len(text) > max_characters:
        raise InputError(f"the text has {len(text)} characters; at most {max_characters} are allowed")
    if not text.strip():
        raise InputError("the text is empty: there are only spaces")
    place = next((place for place, character in enumerate(text) if _is_control(character)), None)
    if place is not None:
        raise InputError(
            f"character {place} of the text is the control character U+{ord(text[place]):04X}; "
            "only tab, line feed and carriage return are allowed"
        )
    return text


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        seen = "UTF-16" if data.startswith(_OTHER_MARKS) else f"byte {error.start} breaks it"
        raise InputError(f"the text is not UTF-8 ({seen}); only UTF-8 is allowed") from error


def _is_control(character: str) -> bool:
    """Whether it is one of Unicode's category Cc (U+0000-001F, U+007F-009F) that has no place in a text."""
    code = ord(character)
    return (code < 0x20 or 0x7F <= code < 0xA0) and character not in _ALLOWED_CONTROLS
