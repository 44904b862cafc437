"""The arguments of `scripts/audit`."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

# Not packages; and the same release as torch.txt.
NOT_LOOKED_UP = {"audit-exceptions.txt", "torch-cpu.txt"}
REQUIREMENTS = Path(__file__).parents[1] / "deploy" / "requirements"
DATABASE = "https://api.osv.dev/v1/query"
PROBE_TIMEOUT_S = 10.0
NOT_CHECKED = 3  # the exit status when the database is away


def exceptions(path: Path) -> list[str]:
    """The vulnerabilities to pass over: a line each, its id and then the reason.

    Raises:
        ValueError: a line without a reason.
    """
    found = []
    for line in path.read_text("utf-8").splitlines():
        entry, _, reason = line.partition("#")[0].strip().partition(" ")
        if entry and not reason.strip():
            raise ValueError(f"{path.name}: {entry} needs a reason behind it")
        if entry:
            found.append(entry)
    return found


def reachable(url: str) -> str:
    """Empty if a server answers there, else why not."""
    try:
        with urllib.request.urlopen(url, timeout=PROBE_TIMEOUT_S):  # noqa: S310 - the operator's URL
            return ""
    except urllib.error.HTTPError:
        return ""  # it answers: that this is no question is its right
    except OSError as error:
        return str(error)


def audit(requirements: Path, url: str, ignored: list[str]) -> bool:
    """Whether nothing was found; prints what was."""
    command = [
        sys.executable,
        "-m",
        "pip_audit",
        "-r",
        str(requirements),
        "--require-hashes",
        "--disable-pip",
    ]
    command += ["-s", "osv", "--osv-url", url, "--progress-spinner", "off"]
    command += [word for entry in ignored for word in ("--ignore-vuln", entry)]
    return subprocess.run(command, check=False).returncode == 0


def main() -> int:
    """Exit status: see `scripts/audit --help`."""
    parser = argparse.ArgumentParser(prog="scripts/audit")
    parser.add_argument("--exceptions", type=Path, default=REQUIREMENTS / "audit-exceptions.txt")
    parser.add_argument("files", nargs="*", type=Path, help="default: all of deploy/requirements")
    chosen = parser.parse_args()
    url = os.environ.get("TANDEM_OSV_URL", DATABASE)
    try:
        ignored = exceptions(chosen.exceptions)
    except (OSError, ValueError) as error:
        print(f"audit: {error}", file=sys.stderr)
        return 2
    if why := reachable(url):
        print(f"audit: not checked: {url} can't be reached ({why})", file=sys.stderr)
        return NOT_CHECKED
    files = chosen.files or sorted(
        path for path in REQUIREMENTS.glob("*.txt") if path.name not in NOT_LOOKED_UP
    )
    results = [audit(path, url, ignored) for path in files]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
