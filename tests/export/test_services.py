"""Set-up is asked of a service: known ones only, in order, quick when nothing is missing, whole or not."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from export.errors import ExportError
from export.recognizer_set_up import make_recognizer
from export.recognizer_weights import SHA256, published_weights
from export.services import SERVICES, ServiceSetUp, default_services, set_up
from tandem.runtime.errors import SetupError, UnknownServiceError
from tandem.runtime.setup import CHECKOUT, REPOSITORY

NOTHING_MISSING_S = 0.5  # milliseconds, on a machine that others use as well
calls: list[str] = []


def first(say):
    calls.append("first")
    say("first was missing")


def second(say):
    calls.append("second")


def broken(say):
    raise ValueError("no space left\nand much more")


KNOWN = {
    "both": ServiceSetUp(steps=(f"{__name__}:first", f"{__name__}:second")),
    "broken": ServiceSetUp(steps=(f"{__name__}:broken",), download="12 MB"),
}


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    calls.clear()
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])


def test_a_services_steps_are_taken_in_order_and_once() -> None:
    said: list[str] = []
    set_up(["both", "both"], said.append, KNOWN)
    assert calls == ["first", "second"]
    assert said == ["first was missing"]


def test_an_unknown_service_is_refused_before_any_step() -> None:
    with pytest.raises(UnknownServiceError, match="no service 'nonsense'; there are: both, broken"):
        set_up(["both", "nonsense"], print, KNOWN)
    assert calls == []


def test_a_step_that_fails_is_said_in_one_line() -> None:
    with pytest.raises(SetupError, match=r"^service 'broken' couldn't be set up: no space left$"):
        set_up(["broken"], print, KNOWN)


def test_every_service_is_a_model_and_every_step_is_there() -> None:
    for name, service in SERVICES.items():
        assert (REPOSITORY / name / "config.pbtxt").is_file()
        for step in service.steps:
            module, _, function = step.partition(":")
            assert f"def {function}(" in (CHECKOUT / module.replace(".", "/")).with_suffix(".py").read_text()
    assert "id_card" in default_services()


def test_where_nothing_is_missing_it_costs_milliseconds_and_says_nothing() -> None:
    set_up(default_services(), lambda line: None)
    said: list[str] = []
    started = time.monotonic()
    set_up(default_services(), said.append)
    assert time.monotonic() - started < NOTHING_MISSING_S
    assert said == []


def test_the_recogniser_is_made_once_by_two_at_once_and_again_when_its_stamp_is_old(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from export.recognizer_set_up import make_recognizer;"
        "make_recognizer(print, pathlib.Path(sys.argv[1]))"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", code, tmp_path], cwd=CHECKOUT, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    said = sorted(process.communicate(timeout=120)[0] for process in both)
    assert [process.returncode for process in both] == [0, 0]
    assert said[0] == b""
    assert said[1].startswith(b"making the recogniser")
    stamp = tmp_path / "text_recognizer" / "1" / "made-from.txt"
    assert SHA256 in stamp.read_text()
    stamp.write_text("another processor\n")
    lines: list[str] = []
    make_recognizer(lines.append, tmp_path)
    assert len(lines) == 1
    make_recognizer(lines.append, tmp_path)
    assert len(lines) == 1


def test_other_weights_are_refused_whatever_their_wheels_version() -> None:
    assert published_weights().is_file()
    with pytest.raises(ExportError, match=r"not the recogniser that we know .*SHA-256 is 6f327246"):
        published_weights(sha256="0" * 64)
    with pytest.raises(ExportError, match=r"no_such_wheel.*is missing.*scripts/serve"):
        published_weights("no_such_wheel")
