"""How many pages a TIFF has, by its directories alone (TIFF 6.0, section 2).

Pillow would read every tag of each.
"""

from __future__ import annotations

import struct

#: Directories that are looked at; a file may hold a million empty ones.
MAX_DIRECTORIES = 100
_ENTRY_BYTES = 12
_NEW_SUBFILE_TYPE = 254
_REDUCED = 1  # bit 0: a smaller version of another picture of this file


def pages_of(data: bytes) -> int:
    """The pages of a TIFF without thumbnails, 1 to `MAX_DIRECTORIES`; in a broken one those before the break.

    Args:
        data: a whole TIFF file.
    """
    order = "<" if data.startswith(b"II") else ">"
    pages, seen = 0, set[int]()
    try:
        (at,) = struct.unpack_from(f"{order}I", data, 4)
        while at and at not in seen and len(seen) < MAX_DIRECTORIES:
            seen.add(at)
            (entries,) = struct.unpack_from(f"{order}H", data, at)
            pages += not _is_reduced(data, at + 2, entries, order)
            (at,) = struct.unpack_from(f"{order}I", data, at + 2 + entries * _ENTRY_BYTES)
    except struct.error:  # cut short: what was read until there counts
        pass
    return max(pages, 1)


def _is_reduced(data: bytes, start: int, entries: int, order: str) -> bool:
    """Whether a directory, whose entries are in the order of their tags, is a thumbnail's."""
    if not entries:
        return True
    tag, kind, _, value = struct.unpack_from(f"{order}HHII", data, start)
    if tag != _NEW_SUBFILE_TYPE:
        return False
    short = 3
    flags = struct.unpack_from(f"{order}H", data, start + 8)[0] if kind == short else value
    return bool(flags & _REDUCED)
