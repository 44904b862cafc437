from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from tandem.batching.__main__ import main

KNOWN = ["plan", "--alpha-ms", "4", "--beta-ms", "8", "--rate", "105", "--max-batch", "4", "--rule", "greedy"]


def test_a_report_stands_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "new" / "report.html"
    assert main([*KNOWN, "--report", str(path)]) == 0
    printed = capsys.readouterr().out
    page = path.read_text(encoding="utf-8")
    assert printed.splitlines()[0] in page  # the same answer as on the terminal
    assert page.count("<tr") == 1 + 4
    assert '<tr class="best"><td>greedy, batches up to 4' in page
    assert page.count("more arrives than this can serve") == 2  # one and two are full at this rate
    picture = page[page.index("<svg") : page.index("</svg>") + len("</svg>")]
    assert len(list(ElementTree.fromstring(picture).iter())) > 100  # noqa: S314 - our own
    for outside in ("http-equiv", "<script", "<link", "<img", 'src="'):
        assert outside not in page


def test_what_options_add_is_in_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "report.html"
    assert main([*KNOWN, "--ramp", "2,60", "--report", str(path)]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("scale out"))
    page = path.read_text(encoding="utf-8")
    assert line in page
    assert "next replica of capacity" in page


def test_a_report_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main([*KNOWN, "--report", str(tmp_path / "file" / "report.html")]) == 1
    assert "can't be written" in capsys.readouterr().err
