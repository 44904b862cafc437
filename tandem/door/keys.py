"""API keys: made once, shown once, kept as hashes in a file.

A key holds 256 random bits, so that its plain SHA-256 can't be turned back; nothing slower is needed.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import stat
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

PREFIX = "tandem_"
_SECRET_BYTES = 32
_LONGEST_KEY = 200  # characters; a longer one isn't even hashed
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_LOOK_INTERVAL_S = 1.0


class ApiKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A caller's key, as the file holds it.

    Attributes:
        name: of the caller, for logs and metrics.
        sha256: of the key, hexadecimal.
        created: ISO date.
        rate_per_s: requests a second, in the long run; None: any. Twice as many may come at once.
        in_flight: requests at the same time; None: any.
        revoked: refused from now on.
    """

    name: str
    sha256: str
    created: str
    rate_per_s: float | None = None
    in_flight: int | None = None
    revoked: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError("a key's name is 1 to 63 letters, digits, _ . and -, a letter or digit first")
        if self.rate_per_s is not None and not 0 < self.rate_per_s < float("inf"):
            raise ValueError("a key's rate must be positive")
        if self.in_flight is not None and self.in_flight < 1:
            raise ValueError("a key's number in flight must be at least 1")


class KeyFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file.

    Attributes:
        keys: in the order in which they were made.
    """

    keys: tuple[ApiKey, ...] = ()


def read_keys(path: Path) -> KeyFile:
    """The file's keys.

    Raises:
        ValueError: it is no file of keys.
        OSError: it can't be read.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=KeyFile)
    except msgspec.MsgspecError as error:
        raise ValueError(f"{path} is no file of keys: {error}") from None


def write_keys(path: Path, keys: KeyFile) -> None:
    """Replace the file in one step, keeping owner and mode; a new one is readable by its owner only."""
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with suppress(FileNotFoundError):
            was = path.stat()
            os.fchmod(number, stat.S_IMODE(was.st_mode))
            # A door that runs as another user must still be able to read it.
            if (was.st_uid, was.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(number, was.st_uid, was.st_gid)
        with os.fdopen(number, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(keys), indent=2) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def new_key(
    name: str, *, rate_per_s: float | None = None, in_flight: int | None = None
) -> tuple[str, ApiKey]:
    """A key for a caller, and what is kept of it.

    Raises:
        ValueError: a name or limit is none.
    """
    secret = PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    today = time.strftime("%Y-%m-%d", time.gmtime())
    kept = ApiKey(
        name=name, sha256=hash_of(secret), created=today, rate_per_s=rate_per_s, in_flight=in_flight
    )
    return secret, kept


def hash_of(secret: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


class KeyRing:
    """The keys of a file, read again when it changes; a file that has become unreadable lets nobody in.

    Args:
        path: the file.

    Raises:
        ValueError: it is no file of keys.
        OSError: it can't be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._looked_s = 0.0
        self._mark: tuple[int, int, int] | None = None
        self._keys: Mapping[str, ApiKey] = {}
        self._read(self._stat())

    def find(self, secret: str) -> ApiKey | None:
        """The key, None if there is none such or it was revoked."""
        now_s = time.monotonic()
        if now_s - self._looked_s >= _LOOK_INTERVAL_S:
            self._looked_s = now_s
            self._look()
        if len(secret) > _LONGEST_KEY:
            return None
        key = self._keys.get(hash_of(secret))
        return None if key is None or key.revoked else key

    def _look(self) -> None:
        try:
            mark = self._stat()
            if mark != self._mark:
                self._read(mark)
        except (OSError, ValueError):
            self._keys, self._mark = {}, None

    def _read(self, mark: tuple[int, int, int]) -> None:
        self._keys = {key.sha256: key for key in read_keys(self._path).keys}
        self._mark = mark

    def _stat(self) -> tuple[int, int, int]:
        found = self._path.stat()
        return found.st_ino, found.st_mtime_ns, found.st_size
