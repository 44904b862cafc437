from __future__ import annotations

from pathlib import Path

import pytest

from tandem.runtime.errors import WrongProcessorError
from tandem.runtime.processor import FAST_INTEGERS, NEEDS, check_processor, has_fast_integers


@pytest.mark.parametrize(
    ("flags", "fast"),
    [("flags : avx2 avx512_vnni", True), ("flags : avx_vnni", True), ("flags : avx2", False)],
)
def test_a_file_made_for_vnni_runs_only_where_it_is(tmp_path: Path, flags: str, *, fast: bool) -> None:
    cpuinfo, model = tmp_path / "cpuinfo", tmp_path / "model.cpu.onnx"
    cpuinfo.write_text(flags)
    assert has_fast_integers(cpuinfo) is fast
    check_processor(model, cpuinfo)  # it needs nothing
    (tmp_path / (model.name + NEEDS)).write_text(" ".join(FAST_INTEGERS))
    if fast:
        check_processor(model, cpuinfo)
        return
    with pytest.raises(WrongProcessorError, match=r"model\.cpu\.onnx.*avx512_vnni or avx_vnni.*set-up-only"):
        check_processor(model, cpuinfo)


def test_a_cpu_that_says_nothing_is_not_trusted(tmp_path: Path) -> None:
    assert not has_fast_integers(tmp_path / "none")
    (tmp_path / f"model{NEEDS}").write_text("avx_vnni")
    with pytest.raises(WrongProcessorError):
        check_processor(tmp_path / "model", tmp_path / "none")
