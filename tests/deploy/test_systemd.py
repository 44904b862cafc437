"""The systemd unit: what it starts is there, it stops in order, and it may do no more than it must."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tandem.runtime.options import DEFAULT_STOP_TIMEOUT_S
from tests.deploy.programs import ROOT

UNIT = ROOT / "deploy" / "systemd" / "tandem.service"


def settings() -> dict[str, str]:
    lines = UNIT.read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def test_it_starts_what_the_checkout_has_and_waits_for_what_is_in_flight() -> None:
    found = settings()
    assert (ROOT / found["ExecStart"].removeprefix("/opt/tandem/")).is_file()
    assert float(found["TimeoutStopSec"]) > DEFAULT_STOP_TIMEOUT_S
    assert found["KillMode"] == "mixed"


def test_it_is_no_root_and_leaves_no_core_dump() -> None:
    found = settings()
    assert found["User"] == "tandem"
    assert found["LimitCORE"] == "0"
    assert found["NoNewPrivileges"] == "yes"
    assert found["CapabilityBoundingSet"] == ""
    assert found["ProtectSystem"] == "strict"


def test_systemd_itself_finds_nothing_wrong() -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is missing: apt install systemd")
    done = subprocess.run([program, "verify", str(UNIT)], capture_output=True, text=True, check=False)
    unexpected = [line for line in done.stderr.splitlines() if "is not executable" not in line]  # /opt/tandem
    assert unexpected == []
