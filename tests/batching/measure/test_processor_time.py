"""Whose processor time it is."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tandem.batching.errors import CalibrationError
from tandem.batching.measure import processor_time
from tandem.batching.measure.processor_time import (
    SERVER,
    Bystanders,
    by_step,
    processor_seconds,
    processor_seconds_by_model,
    used_since,
)

# Works for so many seconds of processor time, says so, and waits to be told to end.
SPIN = """import time
end = time.process_time() + {}
while time.process_time() < end: pass
print(flush=True)
input()"""


def test_a_models_process_counts_for_the_model(tmp_path: Path) -> None:
    stub = tmp_path / "triton_python_backend_stub"
    stub.symlink_to(sys.executable)
    script = tmp_path / "resize" / "1" / "model.py"
    script.parent.mkdir(parents=True)
    script.write_text(SPIN.format(0.3))
    with subprocess.Popen([stub, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        before = processor_seconds_by_model(os.getpid())
        process.stdout.readline()
        used = used_since(before, processor_seconds_by_model(os.getpid()))
        total = processor_seconds(os.getpid())
        process.communicate(b"\n")
    assert used["resize"] == pytest.approx(0.3, abs=0.15)
    assert total >= used["resize"]


def test_a_process_that_is_not_there_is_an_error() -> None:
    with pytest.raises(CalibrationError, match="no process"):
        processor_seconds_by_model(2**22 + 1)


def test_what_no_steps_process_used_is_shared_by_use_or_by_time() -> None:
    busy = {"resize": 2.0, "network": 3.0}
    all_known = by_step({"resize": 1.0, "network": 3.0, SERVER: 0.3, "helper": 0.1}, busy)
    assert all_known == pytest.approx({"resize": 1.1, "network": 3.3})
    native = by_step({"resize": 1.0, SERVER: 4.0}, busy)
    assert native == pytest.approx({"resize": 1.0, "network": 4.0})
    assert by_step({SERVER: 5.0}, busy) == pytest.approx({"resize": 2.0, "network": 3.0})
    assert by_step({}, busy) == {"resize": 0.0, "network": 0.0}


def test_others_are_those_who_are_neither_the_server_nor_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine worked for 3 s, the server for 1 s of them, we hardly: 2 s in half a second are others'."""
    machine, server = iter([100.0, 103.0]), iter([10.0, 11.0])
    monkeypatch.setattr(processor_time, "_machine_seconds", lambda: next(machine))
    others = Bystanders(lambda: {SERVER: next(server)})
    time.sleep(0.5)
    assert others.processors() == pytest.approx(4.0, rel=0.2)


def test_the_machine_works_at_least_as_long_as_we_do() -> None:
    before, end = processor_time._machine_seconds(), time.process_time() + 0.3
    while time.process_time() < end:
        pass
    assert processor_time._machine_seconds() - before > 0.2
