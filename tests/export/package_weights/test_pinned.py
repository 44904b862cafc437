"""Slips of the pen in a pin are refused where it is written; what is pinned has its licence in NOTICE."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from export.package_weights import PackageWeights, Part, WeightFile, Wheel
from export.text_embedder.pinned import E5_SMALL
from export.translator.pinned import SIZES
from export.voice_activity.set_up import SILERO_VAD
from export.whisper.base import WHISPER_BASE

ROOT = Path(__file__).parents[3]
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


@pytest.mark.parametrize(
    "weights", [WHISPER_BASE, SILERO_VAD, E5_SMALL, *SIZES.values()], ids=lambda one: one.title
)
def test_the_notice_names_the_packages_of_all_weights_with_their_licence(weights: PackageWeights) -> None:
    entries = re.split(r"\n\d+\. ", (ROOT / "NOTICE").read_text("utf-8"))
    stem = re.sub(r"\d+$", "", weights.wheels[0].package)
    (entry,) = [entry for entry in entries if stem in entry]
    assert {"MIT": "MIT licence", "Apache-2.0": "Apache License 2.0"}[weights.licence] in entry
    (text,) = re.findall(r"its text is (\S+?),?\s", entry)
    assert (ROOT / text).read_text("utf-8").strip()
