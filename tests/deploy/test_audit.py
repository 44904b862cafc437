"""`scripts/audit` against a database made here: finds, excuses with a reason only, says when it can't ask."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.deploy.programs import ROOT
from tests.deploy.prometheus import free_port

pytest.importorskip("pip_audit", reason="pip-audit is not installed")
FOUND = "GHSA-aaaa-bbbb-cccc"
PATIENCE_S = 300


class Database(BaseHTTPRequestHandler):
    """Knows one vulnerability, of Pillow."""

    def do_GET(self) -> None:
        self.send_error(405)

    def do_POST(self) -> None:
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        entry = {
            "id": FOUND,
            "summary": "made up",
            "affected": [
                {
                    "package": {"name": "pillow", "ecosystem": "PyPI"},
                    "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "999"}]}],
                }
            ],
        }
        known = question["package"]["name"].lower() == "pillow"
        body = json.dumps({"vulns": [entry]} if known else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def database() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Database) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1/query"
        server.shutdown()


FILE = (
    ROOT / "deploy" / "requirements" / "server.txt"
)  # the shortest; that all are taken is seen without asking


def audit(url: str, exceptions: Path | None = None) -> subprocess.CompletedProcess[str]:
    words = [str(FILE)] if exceptions is None else [str(FILE), "--exceptions", str(exceptions)]
    return subprocess.run(
        [sys.executable, ROOT / "scripts" / "_audit.py", *words],
        env={**os.environ, "TANDEM_OSV_URL": url},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_what_is_known_of_a_package_is_found(database: str) -> None:
    done = audit(database)
    assert done.returncode == 1
    assert FOUND in done.stdout


def test_an_exception_needs_its_reason(database: str, tmp_path: Path) -> None:
    exceptions = tmp_path / "exceptions.txt"
    exceptions.write_text(f"{FOUND} only on Windows\n")
    assert audit(database, exceptions).returncode == 0
    exceptions.write_text(f"{FOUND}  # \n")
    done = audit(database, exceptions)
    assert done.returncode == 2
    assert "needs a reason" in done.stderr


def test_an_unreachable_database_is_said() -> None:
    done = audit(f"http://127.0.0.1:{free_port()}/")
    assert done.returncode == 3
    assert "audit: not checked" in done.stderr


def test_what_the_commands_install_is_looked_up_too(monkeypatch: pytest.MonkeyPatch) -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "_audit.py"))
    asked: list[str] = []

    def audit_none(path: Path, url: str, ignored: list[str]) -> bool:
        asked.append(path.name)
        return True

    known = script["main"].__globals__
    monkeypatch.setitem(known, "reachable", lambda url: "")
    monkeypatch.setitem(known, "audit", audit_none)
    monkeypatch.setattr(sys, "argv", ["audit"])
    assert script["main"]() == 0
    images = {"door.txt", "export.txt", "gateway.txt", "server.txt"}
    assert set(asked) == images | {
        "serve.txt",
        "language.txt",
        "gpu.txt",
        "develop.txt",
        "torch.txt",
        "weights.txt",
        "peer-litserve.txt",
        "peer-mosec.txt",
    }
