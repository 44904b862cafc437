from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from tandem.runtime.backends_folder import assemble_backends
from tandem.runtime.wheel import Installation, find_installation


def test_holds_both_backends_and_this_pythons_stub(tmp_path: Path) -> None:
    installation = find_installation()
    assemble_backends(installation, tmp_path)
    stub = tmp_path / "python" / "triton_python_backend_stub"
    assert stub.read_bytes() == installation.stub.read_bytes()
    assert os.access(stub, os.X_OK)
    assert (tmp_path / "python" / "libtriton_python.so").is_file()
    assert (tmp_path / "onnxruntime" / "model.py").is_file()


def test_only_what_changed_is_copied_again(tmp_path: Path) -> None:
    backend = tmp_path / "backend"
    backend.mkdir()
    (backend / "library.so").write_text("one")
    (backend / "other.py").write_text("same")
    installation = dataclasses.replace(find_installation(), python_backend=backend)
    folder = _assemble(installation, tmp_path)
    untouched = (folder / "other.py").stat().st_ino
    (backend / "library.so").write_text("second")
    assert (_assemble(installation, tmp_path) / "library.so").read_text() == "second"
    assert (folder / "other.py").stat().st_ino == untouched


def _assemble(installation: Installation, tmp_path: Path) -> Path:
    return assemble_backends(installation, tmp_path / "out") / "python"
